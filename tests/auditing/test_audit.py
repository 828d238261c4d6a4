"""An audit of drawn pictures: what was planted is found, and sound data has no findings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import inkling
from inkling.auditing.audit import audit_subject
from inkling.auditing.findings import KINDS
from inkling.errors import InputError
from inkling.sketch import write_dataset

CLASSES = ("car", "cat", "tree")


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    write_dataset(folder, CLASSES, 12, seed=5)
    return folder


def audited(folder: Path) -> inkling.Audit:
    return inkling.audit(str(folder), encoder="sketch", cache=False)


def test_sound_pictures_have_no_wrong_label(drawn: Path) -> None:
    found = audited(drawn)
    assert "mislabelled" not in found.counts
    assert found.expected_wrong == 0
    assert {*found.not_checked} == {"two clusters", "several kinds in one picture"}  # for more classes, and boxes


def test_a_wrong_label_is_found_with_the_right_one(drawn: Path) -> None:
    moved = drawn / "tree" / "moved.png"
    (drawn / "car" / "car-0003.png").rename(moved)
    (first, *others) = audited(drawn).findings
    assert (first.kind, first.files, first.classes, first.relabel) == (
        "mislabelled",
        (str(moved),),
        ("tree", "car"),
        "car",
    )
    assert first.score > 0.5
    assert "mislabelled" not in {one.kind for one in others}


def test_findings_come_by_kind_and_the_surest_first(drawn: Path) -> None:
    for number in range(2):
        (drawn / "car" / f"car-000{number}.png").rename(drawn / "tree" / f"moved-{number}.png")
    write_dataset(drawn, ("star",), 2, seed=5)
    found = audited(drawn).findings
    keys = [(list(KINDS).index(one.kind), -one.score) for one in found]
    assert keys == sorted(keys)
    assert {"mislabelled", "few_images"} <= {one.kind for one in found}


def test_a_class_with_many_times_fewer_images(tmp_path: Path) -> None:
    write_dataset(tmp_path, ("car",), 50, seed=1)
    write_dataset(tmp_path, ("tree",), 5, seed=1)
    assert [one.classes for one in audited(tmp_path).findings if one.kind == "imbalance"] == [("tree",)]


def test_one_class_that_lies_in_two_folders_is_indistinct(tmp_path: Path) -> None:
    write_dataset(tmp_path, CLASSES, 20, seed=2)
    (tmp_path / "auto").mkdir()
    for path in sorted((tmp_path / "car").iterdir())[::2]:
        shutil.move(path, tmp_path / "auto" / path.name)
    found = [one for one in audited(tmp_path).findings if one.kind == "indistinct_classes"]
    assert [one.classes for one in found] == [("auto", "car")]


def test_with_one_class_the_rest_goes_on(tmp_path: Path) -> None:
    write_dataset(tmp_path, ("car",), 6, seed=1)
    assert "two classes" in audited(tmp_path).not_checked["labels"]


def test_an_image_a_class(tmp_path: Path) -> None:
    write_dataset(tmp_path, CLASSES, 1, seed=1)
    assert audited(tmp_path).counts["few_images"] == 3


def test_labels_missing(tmp_path: Path) -> None:
    write_dataset(tmp_path / "all", ("car",), 3, seed=1)
    with pytest.raises(InputError, match="label"):
        audited(tmp_path / "all" / "car")


def test_classes_with_one_text(tmp_path: Path) -> None:
    write_dataset(tmp_path, ("car", "tree"), 6, seed=2)
    (tmp_path / "tree").rename(tmp_path / "oak_tree")
    (tmp_path / "oak tree").mkdir()
    for path in sorted((tmp_path / "oak_tree").iterdir())[::2]:
        shutil.move(path, tmp_path / "oak tree" / path.name)
    found = [one for one in audited(tmp_path).findings if one.kind == "same_text"]
    assert [set(one.classes) for one in found] == [{"oak tree", "oak_tree"}]


@pytest.mark.parametrize("damage", [b"", b"no picture", "half"])
def test_a_damaged_thumbnail_ends_no_audit(tmp_path: Path, damage: bytes | str) -> None:
    """Such as a memory may have; the other pictures are looked at as they are without it."""
    write_dataset(tmp_path, ("car", "tree"), 6, seed=5)
    with Image.open(tmp_path / "tree" / "tree-0003.png") as picture:
        picture.convert("RGB").save(tmp_path / "tree" / "again.jpg", quality=80)
    sound = inkling.audit(str(tmp_path), encoder="sketch", cache=False)
    samples, thumbnails = sound.subject.samples, list(sound.subject.samples.thumbnails)
    first = thumbnails[0]
    assert first is not None
    thumbnails[0] = damage if isinstance(damage, bytes) else first[: len(first) // 2]
    damaged = replace(samples, thumbnails=tuple(thumbnails))
    found = audit_subject(replace(sound.subject, samples=damaged))
    assert found.counts["near_duplicate"] == 1
    assert (found.counts, found.not_checked) == (sound.counts, sound.not_checked)
