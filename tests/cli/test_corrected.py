"""inkling audit --apply and --undo: a corrected copy, partly done, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.program import Inkling


def start(inkling: Inkling, drawn: Path, *rows: str) -> Path:
    """Six pictures of three kinds each, and a list of corrections."""
    shutil.copytree(drawn / "train", inkling.folder / "train")
    (inkling.folder / "fixes.csv").write_text("\n".join(("path;action;label", *rows)) + "\n", encoding="utf-8-sig")
    return inkling.folder / "out"


ASKED = ("audit", "--apply", "fixes.csv", "train", "--output", "out")


def test_a_copy_and_back(inkling: Inkling, drawn: Path) -> None:
    out = start(inkling, drawn, "train\\car\\car-0000.png;Relabel;tree", "train/car/car-0001.png;drop;")
    done = inkling.here(*ASKED, "--json", "c.json")
    assert done.code == 0, done.err
    assert "Copied 17 pictures to out: 1 image with another label, 1 left out." in done.err
    assert len(list((out / "tree").iterdir())) == 7
    manifest = out / "inkling-audit-1.jsonl"
    undone = inkling.here("audit", "--undo", manifest)
    assert (undone.code, undone.out) == (0, "Removed 17 pictures.\n")
    assert list(out.iterdir()) == []


def test_partly_done(inkling: Inkling, drawn: Path) -> None:
    out = start(inkling, drawn, "old\\car\\car-0000.png;relabel;fire truck", "old\\car\\gone.png;drop;")
    done = inkling.here(*ASKED, "--json", "-")
    assert done.code == 1, done.err
    told = done.json()
    assert (told["gone"], told["moved_from"], told["new_classes"]) == (["old\\car\\gone.png"], "old", ["fire truck"])
    assert len(list((out / "fire truck").iterdir())) == 1
    inkling.here("audit", "--undo", out / "inkling-audit-1.jsonl")
    done = inkling.here(*ASKED)
    assert done.code == 1
    for words in ("Not among the images: 1 row", "images in old", "New class: fire truck. Is that meant?"):
        assert words in done.err


def test_what_is_refused(inkling: Inkling, drawn: Path) -> None:
    out = start(inkling, drawn, "else/where.png;drop;")
    inkling.here(*ASKED).refused("of other images")
    inkling.here("audit", "--apply", "fixes.csv", "train").refused("--output NEW_DIR")
    inkling.here("audit", "--apply", "fixes.csv", "--output", "out").refused("No images were named")
    inkling.here(*ASKED, "--encoder", "sketch").refused("--encoder has no effect")
    inkling.here(*ASKED, "--undo", "m.jsonl").refused("has no effect beside --undo")
    inkling.here("audit", "--undo", "fixes.csv").refused("is not a manifest")
    inkling.here("audit", "--apply", "none.csv", "train", "--output", "out").refused("cannot be read")
    inkling.here("audit", "--apply", "fixes.csv", "none", "--output", "out").refused("does not exist")
    assert not out.exists()
