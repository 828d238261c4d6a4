"""Crops that show several kinds of things, by the boxes of their pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import inkling
from inkling.auditing.audit import Audit
from inkling.auditing.checks.several import covered
from inkling.images.sources import find_images
from inkling.types import Box


def audited(folder: Path, rows: str) -> Audit:
    for k in range(6):
        Image.effect_noise((200, 100), 60 + k).convert("RGB").save(folder / f"{k}.png")
    (folder / "t.csv").write_text(f"path,label,x,y,width,height\n{rows}")
    return inkling.audit(find_images(folder / "t.csv"), encoder="sketch", cache=False)


SOUND = "".join(f"{k}.png,{label},{x},0,50,50\n" for k in range(1, 6) for label, x in (("car", 0), ("truck", 100)))


def test_the_box_of_another_class_covers_half(tmp_path: Path) -> None:
    found = audited(tmp_path, f"0.png,car,0,0,100,100\n0.png,truck,40,0,60,100\n{SOUND}")
    several = [one for one in found.findings if one.kind == "several"]
    assert {(one.classes, round(one.score, 2)) for one in several} == {(("car", "truck"), 0.6), (("truck", "car"), 1.0)}
    assert "covers 60%" in min(several, key=lambda one: one.score).evidence


def test_less_and_its_own_class_are_sound(tmp_path: Path) -> None:
    found = audited(tmp_path, f"0.png,car,0,0,100,100\n0.png,car,10,0,90,100\n0.png,truck,60,0,60,100\n{SOUND}")
    assert [one.classes for one in found.findings if one.kind == "several"] == [("truck", "car")]


def test_without_boxes_it_says_why_not(tmp_path: Path) -> None:
    whole = "".join(f"{k}.png,{'car' if k % 2 else 'truck'},,,,\n" for k in range(6))
    found = audited(tmp_path, whole)
    assert "only boxes" in found.not_checked["several kinds in one picture"]
    assert "several" not in found.looked_for


SIDE = st.floats(1, 50)


@given(st.tuples(SIDE, SIDE, SIDE, SIDE), st.tuples(SIDE, SIDE, SIDE, SIDE))
def test_the_share_is_that_of_pixels(one: tuple[float, ...], other: tuple[float, ...]) -> None:
    crop, box = (Box(*map(round, sides), False, 0.0, None) for sides in (one, other))
    inside = sum(
        box.x <= x < box.x + box.width and box.y <= y < box.y + box.height
        for x in range(int(crop.x), int(crop.x + crop.width))
        for y in range(int(crop.y), int(crop.y + crop.height))
    )
    assert covered(crop, box) == pytest.approx(inside / (crop.width * crop.height))
