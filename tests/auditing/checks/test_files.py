"""Faulty files planted among drawn pictures, and sound ones without findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inkling
from inkling.sketch import write_dataset

KINDS = {"unreadable", "uniform", "dark", "bright", "extreme_aspect"}
RNG = np.random.default_rng(0)


def noise(low: int, high: int, size: tuple[int, int] = (120, 100)) -> Image.Image:
    blocks = RNG.integers(low, high, size=(8, 8), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).convert("RGB")


FAULTY = {
    "uniform": Image.new("RGB", (100, 80), (40, 90, 160)),
    "dark": noise(0, 24),
    "bright": noise(232, 255),
    "extreme_aspect": noise(0, 255, (900, 100)),
}


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    write_dataset(tmp_path, ("car", "tree"), 8, seed=5)
    return tmp_path


def found(folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    findings = inkling.audit(str(folder), encoder="sketch", cache=False).findings
    return [(one.kind, one.files) for one in findings if one.kind in KINDS]


def test_sound_pictures_have_no_findings(drawn: Path) -> None:
    assert found(drawn) == []


@pytest.mark.parametrize("kind", FAULTY)
def test_a_faulty_picture(drawn: Path, kind: str) -> None:
    path = drawn / "car" / "faulty.png"
    FAULTY[kind].save(path)
    assert found(drawn) == [(kind, (str(path),))]


def test_files_that_cannot_be_read_end_no_audit(drawn: Path) -> None:
    empty, cut = drawn / "car" / "empty.png", drawn / "tree" / "cut.png"
    empty.touch()
    whole = (drawn / "tree" / "tree-0001.png").read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    assert sorted(found(drawn)) == [("unreadable", (str(empty),)), ("unreadable", (str(cut),))]


def test_a_night_scene_with_a_light_is_sound(drawn: Path) -> None:
    picture = noise(0, 24)
    picture.paste((250, 240, 200), (40, 40, 60, 60))
    picture.save(drawn / "car" / "night.png")
    assert found(drawn) == []
