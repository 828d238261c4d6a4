"""Pictures smaller than the encoder reads, planted among drawn ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import inkling
from inkling.sketch import write_dataset


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    write_dataset(folder, ("car", "tree"), 8, seed=5)
    return folder


def tiny(folder: Path) -> list[tuple[str, ...]]:
    findings = inkling.audit(str(folder), encoder="sketch", cache=False).findings
    return [one.files for one in findings if one.kind == "tiny"]


def resized(picture: Path, side: int) -> Path:
    with Image.open(picture) as image:
        small = image.resize((side, side))
    small.save(picture)
    return picture


def test_sound_pictures_are_not_tiny(drawn: Path) -> None:
    assert tiny(drawn) == []


def test_less_than_half_of_what_the_encoder_reads_is(drawn: Path) -> None:
    path = resized(drawn / "car" / "car-0002.png", 20)
    resized(drawn / "car" / "car-0003.png", 30)
    assert tiny(drawn) == [(str(path),)]


def test_a_memory_without_its_encoder_says_why_not(drawn: Path, tmp_path: Path) -> None:
    classifier = inkling.FewShotClassifier(encoder="sketch", cache=False).fit(str(drawn))
    classifier.save(tmp_path / "drawn.ink")
    assert "encoder reads" in inkling.audit(tmp_path / "drawn.ink", cache=False).not_checked["tiny pictures"]
