"""Faulty files planted among drawn pictures, and sound ones without findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

import inkling
from inkling.sketch import write_dataset

KINDS = {"unreadable", "uniform", "dark", "bright", "extreme_aspect", "border", "blurred", "colour_mode"}
RNG = np.random.default_rng(0)


def noise(low: int, high: int, size: tuple[int, int] = (120, 100)) -> Image.Image:
    blocks = RNG.integers(low, high, size=(8, 8), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).convert("RGB")


def framed(left: int, top: int, colour: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    picture = Image.new("RGB", (120, 100), colour)
    picture.paste(noise(60, 255, (120 - 2 * left, 100 - 2 * top)), (left, top))
    return picture


FAULTY = {
    "uniform": Image.new("RGB", (100, 80), (40, 90, 160)),
    "dark": noise(0, 24),
    "bright": noise(232, 255),
    "extreme_aspect": noise(0, 255, (900, 100)),
    "border": framed(10, 10),
    "blurred": noise(0, 255).filter(ImageFilter.GaussianBlur(0.06 * 120)),
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


def test_a_photograph_that_ends_early_is_not_taken_for_one_that_ends_in_grey(drawn: Path) -> None:
    path = drawn / "car" / "cut.jpg"
    noise(0, 255, (400, 300)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert found(drawn) == [("unreadable", (str(path),))]


def test_a_night_scene_with_a_light_is_sound(drawn: Path) -> None:
    picture = noise(0, 24)
    picture.paste((250, 240, 200), (40, 40, 60, 60))
    picture.save(drawn / "car" / "night.png")
    assert found(drawn) == []


@pytest.mark.parametrize(("left", "top"), [(0, 12), (15, 0)])
def test_strips_on_two_sides_are_a_border(drawn: Path, left: int, top: int) -> None:
    framed(left, top).save(drawn / "car" / "strips.png")
    assert found(drawn) == [("border", (str(drawn / "car" / "strips.png"),))]


def test_a_thing_before_a_plain_background_has_no_border(drawn: Path) -> None:
    picture = Image.new("RGB", (120, 100), "white")
    ImageDraw.Draw(picture).ellipse((15, 15, 105, 85), fill=(200, 40, 30))
    picture.save(drawn / "car" / "plain.png")
    assert found(drawn) == []


def test_a_blur_of_4_percent_of_the_longer_side_is_found_and_one_of_1_percent_is_sound(drawn: Path) -> None:
    for share in (0.01, 0.04):
        picture = noise(0, 255, (400, 300)).filter(ImageFilter.GaussianBlur(share * 400))
        picture.save(drawn / "car" / f"soft-{share}.png")
    assert found(drawn) == [("blurred", (str(drawn / "car" / "soft-0.04.png"),))]


def test_a_sharp_thing_before_a_soft_background_is_sound(drawn: Path) -> None:
    picture = noise(0, 255, (300, 240)).filter(ImageFilter.GaussianBlur(18))
    picture.paste(noise(0, 255, (100, 80)), (100, 80))
    picture.save(drawn / "car" / "portrait.png")
    assert found(drawn) == []


def test_a_soft_dawn_without_contrast_is_not_called_blurred(drawn: Path) -> None:
    rows = np.linspace(120, 128, 100, dtype=np.uint8)[:, None]
    Image.fromarray(np.repeat(rows, 120, axis=1)).convert("RGB").save(drawn / "car" / "dawn.png")
    assert "blurred" not in {kind for kind, _ in found(drawn)}


def test_a_grey_picture_among_coloured_ones(drawn: Path) -> None:
    write_dataset(drawn, ("star",), 8, seed=5)
    path = drawn / "car" / "car-0003.png"
    with Image.open(path) as picture:
        grey = picture.convert("L")
    grey.save(path)
    assert found(drawn) == [("colour_mode", (str(path),))]


def test_grey_pictures_are_sound_where_many_are_grey(drawn: Path) -> None:
    write_dataset(drawn, ("star",), 8, seed=5)
    for path in drawn.rglob("*-000[0-3].png"):
        with Image.open(path) as picture:
            grey = picture.convert("L")
        grey.save(path)
    assert found(drawn) == []
