"""The JSON shapes of results: whole, plain, and the same wherever they are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inkling import Decisions, FewShotClassifier
from inkling.memory.discovered import Finding, Proposal
from inkling.memory.summary import summarize
from inkling.payloads import (
    class_payload,
    event_payload,
    fit_payload,
    flat_verdict,
    memory_payload,
    proposal_payload,
    verdict_columns,
    verdict_payload,
)
from inkling.types import Verdict
from tests.heads.samples import draw_task

VERDICT = Verdict("a.jpg", "cat", 0.75, ("cat", "dog", "eel"), (0.75, 0.2, 0.05), 3, True, 0.01, ("lynx", "puma"))


def test_a_flat_verdict_fills_its_columns_in_their_order() -> None:
    row = flat_verdict(VERDICT)
    assert tuple(row) == verdict_columns(top=3, names=2)
    assert row["top3_label"] == "eel"
    assert row["top2_probability"] == 0.2
    assert row["name2"] == "puma"


@pytest.mark.parametrize("verdict", [VERDICT, Verdict("b.jpg", "cat", 1.0, ("cat",), (1.0,), None)])
def test_cells_of_a_flat_verdict_are_single_values(verdict: Verdict) -> None:
    assert not any(isinstance(value, list | tuple | dict) for value in flat_verdict(verdict).values())
    assert set(flat_verdict(verdict)) <= set(verdict_columns(top=3, names=2))


def test_verdicts_and_proposals_survive_json() -> None:
    finding = Finding((4, 2), 2, 0.9, ({"name": "bench", "margin": 0.1},), "car", 1.5)
    proposal = proposal_payload(Proposal(7, "open", finding, ("x.jpg", "y.jpg"), None, None, 2))
    for payload in (verdict_payload(VERDICT), proposal):
        assert json.loads(json.dumps(payload)) == payload
    assert proposal["names"] == ["bench"]
    assert proposal["images"] == ["x.jpg", "y.jpg"]


def test_a_fit_and_its_memory_tell_the_same(tmp_path: Path) -> None:
    task = draw_task(shots=8)
    classifier = FewShotClassifier(cache=False).fit_embeddings(task.X, [f"class {label}" for label in task.y])
    classifier.save(tmp_path / "m.ink")
    fitted, kept = fit_payload(classifier), memory_payload(summarize(tmp_path / "m.ink"))
    assert json.loads(json.dumps([fitted, kept])) == [fitted, kept]
    assert fitted["classes"] == [one["name"] for one in kept["classes"]]
    assert fitted["images"] == sum(one["images"] for one in kept["classes"])
    about = Decisions(tmp_path / "m.ink")
    assert [class_payload(one)["name"] for one in about.classes()] == fitted["classes"]
    assert [event_payload(one)["verb"] for one in about.history()] == ["fit"]
