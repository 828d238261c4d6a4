"""inkling sort: what it prints, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from inkling.sketch import write_dataset
from tests.cli.program import Inkling


def test_sorted_and_undone(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("sort", memory, drawn / "test", "--output", "sorted", "--json", "out.json")
    assert done.code == 0, done.err
    assert "inkling sort --undo sorted/inkling-sort-1.jsonl" in done.err
    made = sorted((inkling.folder / "sorted").rglob("*.png"))
    assert len(made) == 24
    again = inkling.here("sort", memory, drawn / "test", "--output", "sorted", "--json", "-").json()
    assert (again["made"], again["there_already"], again["manifest"]) == (0, 24, None)
    made[0].write_bytes(b"changed")
    undone = inkling.here("sort", "--undo", "sorted/inkling-sort-1.jsonl")
    assert undone.code == 1
    assert "Removed 23 pictures" in undone.out
    assert "it was changed" in undone.err
    made[0].unlink()
    last = inkling.here("sort", "--undo", "sorted/inkling-sort-1.jsonl", "--json", "-")
    assert (last.code, last.json()) == (0, {"removed": 0, "gone": 24, "kept": []})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_killed_run_is_in_its_manifest_and_goes_on(inkling: Inkling, memory: Path, drawn: Path) -> None:
    out = inkling.folder / "sorted"
    process = inkling.started("sort", memory, drawn / "test", "--output", out)
    manifest = out / "inkling-sort-1.jsonl"
    while process.poll() is None and not (manifest.exists() and len(manifest.read_text().splitlines()) > 1):
        time.sleep(0.002)
    process.kill()
    process.communicate()
    named = {json.loads(line)["path"] for line in manifest.read_text().splitlines()[1:]}
    assert {one.relative_to(out).as_posix() for one in out.rglob("*.png")} <= named
    again = inkling.here("sort", memory, drawn / "test", "--output", out, "--json", "-").json()
    assert again["made"] + again["there_already"] == 24
    assert len(list(out.rglob("*.png"))) == 24
    assert not list(out.glob(".inkling-*"))


def test_folders_are_those_of_the_predictions(inkling: Inkling, drawn: Path) -> None:
    memory = inkling.folder / "loose.ink"
    options = ("--encoder", "sketch", "--false-alarms", "0.3")
    assert inkling.here("fit", drawn / "train", "--memory", memory, *options).code == 0
    write_dataset(inkling.folder / "inbox", ("snail", "car", "umbrella"), 4, seed=5)
    told = inkling.here("predict", memory, "inbox", "--json", "-").json()["predictions"]
    expected = Counter("unknown" if one["unknown"] else one["label"] for one in told)
    assert expected["unknown"] > 0
    assert inkling.here("sort", memory, "inbox", "--output", "out", "--json", "-").json()["folders"] == expected
    assert len(list((inkling.folder / "out" / "unknown").iterdir())) == expected["unknown"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "A memory, images and an output folder are needed."),
        (("a.ink", "inbox"), "A memory, images and an output folder are needed."),
        (("a.ink", "--undo", "m.jsonl"), "--undo takes a manifest alone."),
        (("--undo", "m.jsonl"), "'m.jsonl' cannot be read"),
    ],
)
def test_what_cannot_be_meant(inkling: Inkling, arguments: tuple[str, ...], told: str) -> None:
    inkling.here("sort", *arguments).refused(told)


def test_an_output_within_the_images(inkling: Inkling, memory: Path, drawn: Path) -> None:
    inkling.here("sort", memory, drawn / "test", "--output", drawn / "test" / "sorted").refused("lies within")
    assert not (drawn / "test" / "sorted").exists()


def test_a_spoilt_image_is_skipped(inkling: Inkling, memory: Path, drawn: Path) -> None:
    (inkling.folder / "list.csv").write_text(f"path\n{next(drawn.rglob('*.png'))}\nnone.png\n")
    done = inkling.here("sort", memory, "list.csv", "--output", "sorted", "--link")
    assert done.code == 1
    assert "none.png: the file does not exist" in done.err
    assert sum(one.is_symlink() for one in (inkling.folder / "sorted").rglob("*.png")) == 1
