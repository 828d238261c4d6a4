"""Copies of drawn pictures, planted within a class, across classes and in a test set."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import inkling
from inkling.auditing import alike
from inkling.auditing.audit import audit_subject
from inkling.auditing.findings import Finding
from inkling.auditing.near_duplicates import Pictures, near_pairs
from inkling.auditing.subject import Subject
from inkling.embeddings.samples import given_samples
from inkling.images.decode import thumbnail
from inkling.sketch import write_dataset
from inkling.types import ClassEntry

CLASSES = ("car", "cat", "tree")
COPIES = {"exact_duplicate", "near_duplicate", "label_conflict", "leak"}


def recoloured(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(1.1)).enhance(1.15)


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": lambda picture: picture,
    "smaller": lambda picture: picture.resize((picture.width * 7 // 10, picture.height * 7 // 10)),
    "cropped": lambda picture: picture.crop((picture.width // 20, picture.height // 20, *picture.size)),
    "mirrored": ImageOps.mirror,
    "recoloured": recoloured,
}


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    write_dataset(folder, CLASSES, 8, seed=5)
    return folder


def found(folder: Path, against: Path | None = None) -> list[Finding]:
    result = inkling.audit(str(folder), encoder="sketch", cache=False, against=against)
    return [one for one in result.findings if one.kind in COPIES]


def names(one: Finding) -> set[str]:
    return {Path(file).name for file in one.files}


def test_sound_pictures_have_no_copies(drawn: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "test", CLASSES, 8, seed=6)
    assert found(drawn, tmp_path / "test") == []


def test_equal_files_of_a_class(drawn: Path) -> None:
    shutil.copy(drawn / "car" / "car-0003.png", drawn / "car" / "again.png")
    (one,) = found(drawn)
    assert (one.kind, names(one), one.classes) == ("exact_duplicate", {"car-0003.png", "again.png"}, ("car",))


def test_equal_files_of_two_classes_are_a_conflict_and_nothing_else(drawn: Path) -> None:
    shutil.copy(drawn / "car" / "car-0003.png", drawn / "cat" / "again.png")
    (one,) = found(drawn)
    assert (one.kind, names(one)) == ("label_conflict", {"car-0003.png", "again.png"})
    assert set(one.classes) == {"car", "cat"}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_of_a_class(drawn: Path, edit: str) -> None:
    with Image.open(drawn / "car" / "car-0003.png") as picture:
        EDITS[edit](picture.convert("RGB")).save(drawn / "car" / "again.jpg", quality=40)
    (one,) = found(drawn)
    assert (one.kind, names(one)) == ("near_duplicate", {"car-0003.png", "again.jpg"})


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_copy_that_the_encoder_takes_for_something_else(mirrored: bool) -> None:
    """Embeddings of some pictures change with every encoding; what looks all the same is compared anyway."""
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC)
    copy = ImageOps.mirror(picture) if mirrored else picture.resize((200, 150))
    samples = given_samples(np.eye(2, 4, dtype=np.float32), ["a", "a"], logit_scale=100.0)
    samples = replace(samples, thumbnails=(thumbnail(picture), thumbnail(copy)))
    assert len(near_pairs(Pictures.of(samples, np.arange(2)))) == 1


def test_an_edited_copy_in_another_class_is_a_conflict(drawn: Path) -> None:
    with Image.open(drawn / "car" / "car-0003.png") as picture:
        picture.convert("RGB").save(drawn / "tree" / "again.jpg", quality=40)
    (one,) = found(drawn)
    assert (one.kind, names(one)) == ("label_conflict", {"car-0003.png", "again.jpg"})


def test_leaks_exact_and_near(drawn: Path, tmp_path: Path) -> None:
    test = tmp_path / "test"
    write_dataset(test, CLASSES, 4, seed=6)
    shutil.copy(drawn / "car" / "car-0003.png", test / "car" / "same.png")
    with Image.open(drawn / "tree" / "tree-0001.png") as picture:
        ImageOps.mirror(picture.convert("RGB")).save(test / "cat" / "near.jpg", quality=60)
    exact, near = found(drawn, test)
    assert (exact.kind, [Path(file).name for file in exact.files]) == ("leak", ["car-0003.png", "same.png"])
    assert (near.kind, [Path(file).name for file in near.files]) == ("leak", ["tree-0001.png", "near.jpg"])
    assert near.classes == ("tree", "cat")
    assert "labels differ" in near.evidence


def test_vectors_alone_have_no_thumbnails_and_that_is_said() -> None:
    X = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    X[1] = X[0]
    samples = given_samples(X, ["a", "b"] * 10, logit_scale=100.0)
    checked = audit_subject(Subject(samples, (ClassEntry("a"), ClassEntry("b"))))
    assert "vectors alone" in checked.not_checked["near-duplicates"]
    assert checked.counts["label_conflict"] == 1


def test_small_blocks_find_the_same(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("car-0001", "car-0006"):
        with Image.open(drawn / "car" / f"{name}.png") as picture:
            picture.convert("RGB").save(drawn / "car" / f"{name}-again.jpg", quality=40)
    whole = found(drawn)
    monkeypatch.setattr(alike, "_ROWS", 3)
    monkeypatch.setattr(alike, "_COLUMNS", 5)
    assert len(whole) == 2
    assert [one.files for one in found(drawn)] == [one.files for one in whole]


def test_vectors_alone_are_not_compared_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100,000 of them an index would take minutes, and no pair could pass."""

    def compared(*_: object, **__: object) -> None:
        raise AssertionError("compared")

    monkeypatch.setattr("inkling.auditing.near_duplicates.alike_pairs", compared)
    samples = given_samples(np.tile(np.eye(3, dtype=np.float32), (2, 1)), ["car"] * 6, logit_scale=100.0)
    assert near_pairs(Pictures.of(samples, np.arange(6))) == []
