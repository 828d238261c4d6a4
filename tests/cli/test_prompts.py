"""inkling prompts: what it prints and writes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import Inkling


def test_it_writes_words_that_fit_reads(inkling: Inkling, drawn: Path) -> None:
    done = inkling.here("prompts", drawn / "train", "--encoder", "sketch", "--output", "p.yaml", "--json", "p.json")
    assert done.code == 0, done.err
    assert "95% interval" in done.out
    told = json.loads((inkling.folder / "p.json").read_text())
    assert told["output"] == "p.yaml"
    assert set(told["prompts"]) == {path.name for path in (drawn / "train").iterdir()}
    low, high = told["difference"]
    assert low <= told["top1_found"] - told["top1_given"] <= high
    fitted = inkling.here("fit", drawn / "train", "--memory", "p.ink", "--encoder", "sketch", "--prompts", "p.yaml")
    assert fitted.code == 0, fitted.err


def test_what_is_refused(inkling: Inkling, drawn: Path) -> None:
    inkling.here("prompts", drawn / "train", "--encoder", "sketch", "--output", "p.csv").refused(
        "does not end in .yaml"
    )
    inkling.here("prompts", drawn / "nothing", "--encoder", "sketch").refused("does not exist")
    inkling.here("prompts", drawn / "train", "--encoder", "sketch", "--prompts", "no.yaml").refused("does not exist")
