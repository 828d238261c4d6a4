"""inkling audit of a memory, and corrections to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.program import Inkling


def test_a_memory_is_audited_without_its_encoder_and_corrected(inkling: Inkling, drawn: Path) -> None:
    train = inkling.folder / "train"
    shutil.copytree(drawn / "train", train)
    (train / "car" / "car-0003.png").rename(train / "tree" / "moved.png")
    assert inkling.here("fit", "train", "--memory", "m.ink", "--encoder", "sketch").code == 0
    shutil.rmtree(train)
    done = inkling.here("audit", "m.ink", "--fix-list", "f.csv", "--report", "a.html", "--json", "-")
    assert done.code == 0, done.err
    (found,) = [one for one in done.json()["findings"] if one["kind"] == "mislabelled"]
    assert (found["files"], found["relabel"]) == (["train/tree/moved.png"], "car")
    assert "inkling audit --apply fixes.csv m.ink" in (inkling.folder / "a.html").read_text()
    corrected = inkling.here("audit", "--apply", "f.csv", "m.ink")
    assert corrected.code == 0, corrected.err
    assert corrected.out == "1 image with another label, 0 left out.\n"
    assert "'inkling undo' takes all of it back" in corrected.err
    assert "correct" in inkling.here("history", "m.ink").out
    assert inkling.here("audit", "m.ink", "--json", "-").json()["counts"].get("mislabelled") is None
    assert inkling.here("undo", "m.ink").code == 0
    (inkling.folder / "keep.csv").write_text("path,action\ntrain/tree/moved.png,keep\n")
    assert "Nothing to correct" in inkling.here("audit", "--apply", "keep.csv", "m.ink").err
    every = "".join(f"train/tree/tree-{k:04}.png,drop\n" for k in range(6)) + "train/tree/moved.png,drop\n"
    (inkling.folder / "none.csv").write_text(f"path,action\n{every}")
    assert "No image is left of: tree." in inkling.here("audit", "--apply", "none.csv", "m.ink").err
    assert inkling.here("undo", "m.ink").code == 0
    (inkling.folder / "part.csv").write_text("path,action\ntrain/tree/moved.png,drop\ntrain/tree/gone.png,drop\n")
    assert inkling.here("audit", "--apply", "part.csv", "m.ink").code == 1


def test_what_is_refused(inkling: Inkling, memory: Path, drawn: Path) -> None:
    (inkling.folder / "f.csv").write_text("path,action\nx,drop\n")
    inkling.here("audit", "--apply", "f.csv", memory).refused("of other images")
    inkling.here("audit", "--apply", "f.csv", memory, "--output", "out").refused("--output has no effect")
    inkling.here("audit", memory, "--encoder", "sketch").refused("--encoder has no effect")
    (inkling.folder / "bad.ink").write_bytes(b"no memory")
    inkling.here("audit", "bad.ink").refused("is not an Inkling memory")
    inkling.here("audit", "none.ink").refused("does not exist")


def test_leaks_into_a_test_set(inkling: Inkling, memory: Path, drawn: Path) -> None:
    done = inkling.here("audit", memory, "--against", drawn / "train", "--json", "-")
    assert done.code == 0, done.err
    assert done.json()["counts"]["leak"] == 18
