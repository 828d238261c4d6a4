"""Boxes beside a path, and the pixels that they stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inkling.errors import InputError, UnreadableImageError
from inkling.images.boxes import BoxReading, boxed_record, parsed, pixels_of, record_of_path, shown, source_of
from inkling.images.decode import load
from inkling.types import Box, ImageRecord
from tests.images.pictures import encoded, photo, stored_for

SIZE = (48, 40)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(photo(size=SIZE), "PNG"))
    return path


def crop(path: Path, box: Box) -> Image.Image:
    return load(boxed_record(str(path), None, box)).image


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and bool((np.asarray(one) == np.asarray(other)).all())


class TestPixels:
    @pytest.mark.parametrize(
        ("box", "expected"),
        [
            (Box(10, 5, 20, 10), (10, 5, 30, 15)),
            (Box(10.4, 5.4, 20.2, 10), (10, 5, 31, 16)),
            (Box(-5, -5, 10, 10), (0, 0, 5, 5)),
            (Box(40, 30, 100, 100), (40, 30, 48, 40)),
            (Box(0.25, 0.5, 0.5, 0.25, in_shares=True), (12, 20, 36, 30)),
            (Box(10, 10, 20, 10, margin=0.1), (8, 9, 32, 21)),
            (Box(0, 0, 48, 40, margin=0.5), (0, 0, 48, 40)),
            (Box(47.2, 39.9, 0.1, 0.05), (47, 39, 48, 40)),
            (Box(0, 0, 1e-9, 1e-9), (0, 0, 1, 1)),
            (Box(0.1, 0.1, 0.7, 0.7, in_shares=True, picture_size=(10, 10)), (1, 1, 8, 8)),
        ],
    )
    def test_of_boxes(self, box: Box, expected: tuple[int, ...]) -> None:
        assert pixels_of(box, box.picture_size or SIZE) == expected

    @pytest.mark.parametrize(
        ("box", "reason"),
        [
            (Box(10, 5, 0, 10), "no area"),
            (Box(10, 5, 10, -1), "no area"),
            (Box(float("nan"), 5, 10, 10), "not of finite numbers"),
            (Box(48, 5, 10, 10), "outside of the picture"),
            (Box(-20, 5, 10, 10, margin=2), "outside of the picture"),
            (Box(1, 1, 5, 5, picture_size=(480, 400)), "annotations are of 480 x 400"),
            (Box(1, 1, 5, 5, picture_size=(40, 48)), "turned upright"),
        ],
    )
    def test_that_there_are_none_of(self, picture: Path, box: Box, reason: str) -> None:
        with pytest.raises(UnreadableImageError, match=reason):
            crop(picture, box)

    def test_too_elongated(self, tmp_path: Path) -> None:
        path = tmp_path / "wide.png"
        path.write_bytes(encoded(photo(size=(400, 40)), "PNG"))
        with pytest.raises(UnreadableImageError, match="too elongated"):
            crop(path, Box(0, 0, 300, 2))

    @given(st.floats(-50, 60), st.floats(-50, 60), st.floats(1e-6, 100), st.floats(1e-6, 100), st.floats(0, 3))
    def test_lie_within_the_picture_and_are_not_empty(
        self, x: float, y: float, width: float, height: float, margin: float
    ) -> None:
        try:
            left, upper, right, lower = pixels_of(Box(x, y, width, height, margin=margin), SIZE)
        except UnreadableImageError:
            return
        assert 0 <= left < right <= SIZE[0]
        assert 0 <= upper < lower <= SIZE[1]


class TestCrops:
    def test_are_the_pixels_of_the_box(self, picture: Path) -> None:
        assert same(crop(picture, Box(10, 5, 20, 10)), photo(size=SIZE).crop((10, 5, 30, 15)))

    def test_are_cut_from_the_upright_picture(self, tmp_path: Path) -> None:
        whole = photo(size=SIZE)
        exif = Image.Exif()
        exif[0x0112] = 6
        path = tmp_path / "turned.png"
        path.write_bytes(encoded(stored_for(whole, 6), "PNG", exif=exif))
        assert same(crop(path, Box(10, 5, 20, 10, picture_size=SIZE)), whole.crop((10, 5, 30, 15)))

    def test_do_not_depend_on_how_small_the_whole_could_be_decoded(self, tmp_path: Path) -> None:
        path = tmp_path / "large.jpg"
        path.write_bytes(encoded(photo(size=(640, 640)), "JPEG"))
        record = boxed_record(str(path), None, Box(0, 0, 320, 320))
        assert load(record, shorter_side=32).image.size == (320, 320)

    def test_hashes_tell_the_box_and_the_picture(self, picture: Path) -> None:
        whole = load(ImageRecord(str(picture))).content_hash
        box = Box(10, 5, 20, 10)
        others = [replace(box, x=11), replace(box, margin=0.1), replace(box, in_shares=True, x=0.1, y=0.1)]
        hashes = {load(boxed_record(str(picture), None, one)).content_hash for one in (box, *others[:2])}
        assert len(hashes) == 3
        assert {source_of(one) for one in hashes} == {whole}
        assert source_of(whole) == whole
        named = replace(box, id="12", picture_size=SIZE)
        assert load(boxed_record(str(picture), "car", named)).content_hash in hashes

    def test_of_a_missing_picture(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableImageError, match="does not exist"):
            crop(tmp_path / "none.png", Box(1, 1, 2, 2))


class TestPaths:
    @pytest.mark.parametrize(
        ("box", "fragment"),
        [
            (Box(10, 20, 30, 40), "xywh=10,20,30,40"),
            (Box(10.25, 20, 30.5, 40, id="12"), "xywh=10.25,20,30.5,40&id=12"),
            (Box(0.1234, 0.2, 0.3, 0.4, in_shares=True), "xywh=percent:12.34,20,30,40"),
            (Box(-1, 0, 3, 4, margin=0.1, id="a&b #"), "xywh=-1,0,3,4&margin=0.1&id=a%26b%20%23"),
        ],
    )
    def test_there_and_back(self, box: Box, fragment: str) -> None:
        path = shown("photos/a.jpg", box)
        assert path == f"photos/a.jpg#{fragment}"
        file, again = parsed(path) or ("", None)
        assert (file, again) == ("photos/a.jpg", box)

    def test_a_path_alone_finds_the_crop_again(self, picture: Path) -> None:
        record = boxed_record(str(picture), None, Box(3.3, 5, 20, 10, margin=0.15, id="7"))
        assert load(record_of_path(record.path)).content_hash == load(record).content_hash

    def test_a_file_of_just_that_name_comes_first(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png#xywh=1,2,3,4"
        path.write_bytes(encoded(photo(), "PNG"))
        assert record_of_path(str(path)) == ImageRecord(str(path))

    @pytest.mark.parametrize("path", ["a.jpg", "a.jpg#12", "a.jpg#xywh=1,2,3", "a.jpg#xywh=1,2,3,x", "#xywh=1,2,3,4"])
    def test_other_paths_name_no_box(self, path: str) -> None:
        assert parsed(path) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -0.1}, "margin must lie between"),
        ({"margin": float("nan")}, "margin must lie between"),
        ({"confidence": 1.5}, "confidence must lie between"),
        ({"root": "nowhere"}, "root 'nowhere' is not a folder"),
    ],
)
def test_odd_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BoxReading(**options)
