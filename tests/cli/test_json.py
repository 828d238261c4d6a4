"""``--json -`` prints JSON and nothing else; ``--json FILE`` writes the same beside the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Inkling

VERBS = {
    "fit": ("fit", "{drawn}", "--memory", "drawn.ink", "--replace", "--encoder", "sketch"),
    "evaluate": ("evaluate", "drawn.ink", "{drawn}", "--report", "r.html"),
    "predict": ("predict", "drawn.ink", "{drawn}/test"),
    "info": ("info", "drawn.ink"),
    "embed": ("embed", "{drawn}/test", "--encoder", "sketch", "--output", "e.parquet"),
    "encoders": ("encoders",),
    "cache info": ("cache", "info"),
}
CHANGING = {"seconds", "memory_version", "provenance", "bytes", "thumbnail_bytes", "encoded_now", "replaced"}


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("verb", VERBS)
def test_standard_output_is_pure_json(inkling: Inkling, drawn: Path, verb: str) -> None:
    arguments = [one.format(drawn=drawn) for one in VERBS[verb]]
    printed = inkling.here(*arguments, "--json", "-")
    assert printed.code == 0, printed.err
    table = inkling.here(*arguments, "--json", "o.json")
    written = json.loads((inkling.folder / "o.json").read_text(encoding="utf-8"))
    assert written.keys() == printed.json().keys()
    for key in printed.json().keys() - CHANGING:
        assert written[key] == printed.json()[key]
    assert table.out.strip()
    with pytest.raises(json.JSONDecodeError):
        json.loads(table.out)


def test_a_prediction_may_go_to_a_file_and_json_to_standard_output(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("predict", memory, drawn / "test", "--output", "o.csv", "--json", "-")
    assert done.json()["n"] == len((inkling.folder / "o.csv").read_text().splitlines()) - 1


def test_fit_says_what_it_found(inkling: Inkling, drawn: Path) -> None:
    summary = inkling.here("fit", drawn, "--memory", "f.ink", "--encoder", "sketch", "--json", "-").json()
    assert summary["memory_version"] == 1
    assert summary["images"] == 18
    assert summary["head"] == "auto"
    assert summary["finding"]
    assert {"temperature", "n", "top1", "before", "after"} <= summary["calibration"].keys()
    assert len(summary["encoder_fingerprint"]) == 64


def test_encoders_are_described(inkling: Inkling) -> None:
    cards = inkling.here("encoders", "--json", "-").json()["encoders"]
    by_name = {card["name"]: card for card in cards}
    assert "not for photographs" in by_name["sketch"]["note"]
    assert "openai/clip-vit-base-patch32" in by_name
    assert by_name["facebook/dinov2-base"]["texts"] is False
    assert all(card["dimension"] > 0 and card["licence"] for card in cards)
