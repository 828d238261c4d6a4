"""The same file in places where it misleads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import inkling
from inkling.auditing.findings import Finding
from inkling.sketch import write_dataset


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    for number, part in enumerate(("train", "test")):
        write_dataset(tmp_path / part, ("car", "tree"), 8, seed=number)
    return tmp_path


def copies(folder: Path) -> list[Finding]:
    found = inkling.audit(str(folder / "train"), encoder="sketch", against=str(folder / "test"), cache=False).findings
    return [one for one in found if one.kind in ("exact_duplicate", "label_conflict", "leak")]


def test_sound_folders_hold_none(drawn: Path) -> None:
    assert copies(drawn) == []


def test_twice_in_a_class(drawn: Path) -> None:
    first, second = drawn / "train" / "car" / "car-0001.png", drawn / "train" / "car" / "again.png"
    shutil.copy(first, second)
    (found,) = copies(drawn)
    assert (found.kind, set(found.files)) == ("exact_duplicate", {str(first), str(second)})


def test_under_two_labels(drawn: Path) -> None:
    first, second = drawn / "train" / "car" / "car-0001.png", drawn / "train" / "tree" / "odd.png"
    shutil.copy(first, second)
    (found,) = copies(drawn)
    assert (found.kind, set(found.files), set(found.classes)) == (
        "label_conflict",
        {str(first), str(second)},
        {"car", "tree"},
    )


def test_among_those_to_test_on(drawn: Path) -> None:
    first, tested = drawn / "train" / "car" / "car-0001.png", drawn / "test" / "car" / "seen.png"
    shutil.copy(first, tested)
    (found,) = copies(drawn)
    assert (found.kind, found.files) == ("leak", (str(first), str(tested)))
