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


def test_texts_are_those_that_the_encoder_reads(inkling: Inkling, crops: Path, surrogate: Path) -> None:
    """An encoder with one prompt of its own knows no other, whatever the default is elsewhere."""
    rows = [
        f"{one},{one.parent.name}" for kind in ("bus", "car") for one in sorted((crops / "train" / kind).iterdir())[:3]
    ]
    (inkling.folder / "t.csv").write_text("\n".join(["path,label", *rows, "gone.jpg,car"]))
    done = inkling.here("prompts", "t.csv", "--encoder", surrogate, "--json", "-")
    assert done.json()["prompts"] == {"bus": ["a bus"], "car": ["a car"]}
    assert [one["path"] for one in done.json()["skipped"]] == ["gone.jpg"]
    assert done.code == 1


def test_a_file_of_vectors_is_refused(inkling: Inkling) -> None:
    inkling.here("prompts", "vectors.npz", "--encoder", "sketch").refused("tried on the images themselves")
