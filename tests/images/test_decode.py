"""Every promised format and pixel mode comes out as the same upright RGB picture."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from inkling.errors import UnreadableImageError
from inkling.images.decode import decode, load, thumbnail
from inkling.types import ImageRecord
from tests.images.pictures import difference, encoded, photo, stored_for


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "subsampling": 0}, 2),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 2),
        ("GIF", {}, 8),
    ],
)
def test_formats(kind: str, options: dict[str, object], tolerance: float) -> None:
    picture = photo()
    assert difference(decode(encoded(picture, kind, **options)), picture) <= tolerance


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr"])
def test_pixel_modes(mode: str) -> None:
    picture = photo().convert(mode)
    kind = "TIFF" if mode == "YCbCr" else "PNG"
    assert difference(decode(encoded(picture, kind)), picture.convert("RGB")) <= 1


def test_first_frame_of_an_animation() -> None:
    first, second = photo(1), photo(2)
    for kind, tolerance in (("GIF", 8), ("WEBP", 4), ("PNG", 0), ("TIFF", 0)):
        data = encoded(first, kind, save_all=True, append_images=[second])
        assert difference(decode(data), first) <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_maps_its_full_range(kind: str) -> None:
    values = np.array([[0, 128, 257, 32768, 65535 - 257, 65535]], dtype=np.uint16)
    grey = np.asarray(decode(encoded(Image.fromarray(values), kind)))[0, :, 0]
    assert grey.tolist() == [0, 0, 1, 128, 254, 255]


def test_16_bit_in_the_other_byte_order() -> None:
    values = np.array([[0, 257, 65535]], dtype=">u2")
    picture = Image.frombytes("I;16B", (3, 1), values.tobytes())
    grey = np.asarray(decode(encoded(picture, "TIFF")))[0, :, 0]
    assert grey.tolist() == [0, 1, 255]


def test_16_bit_tiff_where_zero_is_white() -> None:
    data = encoded(Image.fromarray(np.array([[0, 65535]], dtype=np.uint16)), "TIFF")
    black_is_zero, white_is_zero = (struct.pack("<HHIHH", 262, 3, 1, value, 0) for value in (1, 0))
    assert black_is_zero in data
    grey = np.asarray(decode(data.replace(black_is_zero, white_is_zero)))[0, :, 0]
    assert grey.tolist() == [255, 0]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_values_without_a_customary_range_are_stretched(dtype: type) -> None:
    values = np.array([[-500, 0, 500]], dtype=dtype)
    grey = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
    assert grey.tolist() == [0, 128, 255]


def test_floats_that_are_not_finite() -> None:
    values = np.array([[np.nan, -np.inf, 1.0, 3.0, np.inf]], dtype=np.float32)
    grey = np.asarray(decode(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
    assert grey.tolist() == [0, 0, 0, 255, 255]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_picture_without_a_finite_value_is_skipped(value: float) -> None:
    nothing = encoded(Image.fromarray(np.full((2, 2), value, dtype=np.float32)), "TIFF")
    with pytest.raises(UnreadableImageError, match="none of its values is a finite number"):
        decode(nothing)


def test_cmyk_as_adobe_stores_it() -> None:
    picture = photo()
    data = encoded(picture.convert("CMYK"), "JPEG", quality=95, subsampling=0)
    assert b"Adobe" in data
    assert difference(decode(data), picture) < 3


def test_cmyk_without_adobes_marker_is_not_inverted() -> None:
    picture = photo()
    data = encoded(ImageChops.invert(picture.convert("CMYK")), "JPEG", quality=95, subsampling=0)
    start = data.index(b"\xff\xee")
    length = int.from_bytes(data[start + 2 : start + 4])
    assert difference(decode(data[:start] + data[start + 2 + length :]), picture) < 3


def test_cmyk_tiff() -> None:
    picture = photo()
    assert difference(decode(encoded(picture.convert("CMYK"), "TIFF")), picture) <= 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_lies_on_white(kind: str) -> None:
    picture = Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 128))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    shown = decode(encoded(picture, kind, **options))
    assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert shown.getpixel((1, 0)) == (127, 127, 127)
    assert shown.getpixel((2, 0)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_a_transparent_colour(kind: str) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.putpixel((1, 0), 1)
    shown = decode(encoded(picture, kind, transparency=0))
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (200, 100, 0)]


def test_palette_with_partial_alpha() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([0, 0, 0, 200, 100, 0])
    picture.putpixel((1, 0), 1)
    shown = decode(encoded(picture, "PNG", transparency=bytes([128, 255])))
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [(127, 127, 127), (200, 100, 0)]


def test_grey_with_alpha() -> None:
    shown = decode(encoded(Image.new("LA", (1, 1), (0, 0)), "PNG"))
    assert shown.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(kind: str, orientation: int) -> None:
    upright = photo()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    assert difference(decode(encoded(stored_for(upright, orientation), kind, exif=exif, **options)), upright) <= 2


def test_damaged_exif_does_not_lose_the_picture() -> None:
    picture = photo()
    data = encoded(picture, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0nonsense")
    assert difference(decode(data), picture) <= 2


def test_load_hashes_content_not_names(tmp_path: Path) -> None:
    data = encoded(photo(), "PNG")
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(data)
    first, second = (load(ImageRecord(str(path))) for path in paths)
    assert first.content_hash == second.content_hash
    assert first.content_hash != load(ImageRecord("x", image=photo(1))).content_hash


def test_load_of_a_picture_in_memory() -> None:
    picture = photo()
    loaded = load(ImageRecord("image 0", image=picture))
    assert difference(loaded.image, picture) == 0
    other_shape = Image.frombytes("RGB", picture.size[::-1], picture.tobytes())
    assert load(ImageRecord("image 1", image=other_shape)).content_hash != loaded.content_hash


def test_picture_in_memory_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(encoded(photo(size=(300, 300)), "PNG")[:400])
    with Image.open(path) as lazy, pytest.raises(UnreadableImageError, match="cannot be read"):
        load(ImageRecord("image 0", image=lazy))


def test_pixels_without_a_way_to_rgb() -> None:
    with pytest.raises(UnreadableImageError, match="mode La"):
        load(ImageRecord("image 0", image=Image.new("La", (4, 4))))


@pytest.mark.parametrize("size", [(48, 40), (2000, 1500), (300, 90), (1, 1)])
def test_thumbnail(size: tuple[int, int]) -> None:
    picture = photo(size=size)
    small = decode(thumbnail(picture))
    assert max(small.size) == min(96, max(size))
    scale = max(small.size) / max(size)
    expected = tuple(max(1, round(side * scale)) for side in size)
    assert small.size == expected
    assert difference(small, picture.resize(expected, Image.Resampling.BOX)) < 8
