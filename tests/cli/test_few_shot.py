"""evaluate --protocol few-shot: what it prints, keeps and refuses."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import Inkling


def test_the_protocol_is_printed_and_kept(inkling: Inkling, drawn: Path) -> None:
    how = ("evaluate", drawn / "train", drawn / "test", "--protocol", "few-shot", "--encoder", "sketch")
    how = (*how, "--heads", "gda,zero-shot")
    done = inkling.here(*how, "--draws", "2", "--json", "a.json", "--report", "a.html")
    assert done.code == 0, done.err
    assert "worst" in done.out
    told = json.loads((inkling.folder / "a.json").read_text())
    assert [one["shots"] for one in told["scores"]] == [1, 1, 2, 2, 4, 4, "all", "all"]
    assert told["zero_shot"] is not None
    assert (inkling.folder / "a.html").read_text().count("<polyline") == 2
    again = inkling.here(*how, "--splits", "a.splits.json", "--seed", "7", "--json", "-").json()
    for one, other in zip(told["scores"], again["scores"], strict=True):
        assert one["draws"] == other["draws"]
    inkling.here(*how, "--splits", "a.splits.json", "--draws", "3").refused("--draws")
    (inkling.folder / "a.splits.json").write_text("{}")
    inkling.here(*how, "--splits", "a.splits.json").refused("a.splits.json")


def test_the_two_forms_do_not_mix(inkling: Inkling, memory: Path, drawn: Path) -> None:
    inkling.here("evaluate", memory, drawn, "--heads", "gda").refused("--heads", "--protocol few-shot")
    inkling.here("evaluate", memory, drawn, "--splits", "s.json").refused("--splits", "--protocol few-shot")
    inkling.here("evaluate", drawn, drawn, "--protocol", "many").refused("many", "few-shot")
    few_shot = ("--protocol", "few-shot", "--encoder", "sketch")
    inkling.here("evaluate", drawn, drawn, *few_shot, "--include-training").refused("--include-training")
    inkling.here("evaluate", drawn, drawn, *few_shot, "--heads", "nose").refused("nose", "Choose one of")
    inkling.here("evaluate", memory, drawn, *few_shot).refused("is a memory", "in its place")
