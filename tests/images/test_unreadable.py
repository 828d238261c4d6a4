"""What cannot be read says why, and costs no memory."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inkling.errors import UnreadableImageError
from inkling.images import formats
from inkling.images.decode import decode, load
from inkling.types import ImageRecord
from tests.images.pictures import encoded, photo

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds one row of it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3 * width + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_of_size(width: int, height: int, **options: bool) -> bytes:
    """A JPEG whose header announces another size than its data."""
    data = bytearray(encoded(photo(), "JPEG", **options))
    start = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_of_size(width: int, height: int) -> bytes:
    data = encoded(photo(), "GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def bmp_of_size(width: int, height: int) -> bytes:
    data = encoded(photo(), "BMP")
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


def webp_of_size(width: int, height: int) -> bytes:
    """An extended WebP, whose canvas may be larger than any frame."""
    body = b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = encoded(photo(), "WEBP")[12:]
    chunks = b"VP8X" + struct.pack("<I", len(body)) + body + frame
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def tiff_of_size(width: int, height: int) -> bytes:
    data = encoded(photo(size=(48, 40)), "TIFF")
    for tag, old, new in ((256, 48, width), (257, 40, height)):
        data = data.replace(struct.pack("<HHII", tag, 4, 1, old), struct.pack("<HHII", tag, 4, 1, new))
        data = data.replace(struct.pack("<HHIHH", tag, 3, 1, old, 0), struct.pack("<HHII", tag, 4, 1, new))
    return data


BOMBS: dict[str, Callable[[int, int], bytes]] = {
    "JPEG": jpeg_of_size,
    "progressive JPEG": lambda width, height: jpeg_of_size(width, height, progressive=True),
    "PNG": png_of_size,
    "GIF": gif_of_size,
    "BMP": bmp_of_size,
    "WEBP": webp_of_size,
    "TIFF": tiff_of_size,
}


def test_empty() -> None:
    with pytest.raises(UnreadableImageError, match="empty"):
        decode(b"")


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"<html>", b"\0" * 100, b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xd8\xff"])
def test_not_an_image(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        decode(data)


def test_not_an_image_shows_how_it_starts() -> None:
    with pytest.raises(UnreadableImageError, match=r"not a JPEG.*%PDF"):
        decode(b"%PDF-1.7 and so on")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7])
def test_truncated(kind: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(UnreadableImageError, match=f"damaged or truncated {kind}"):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("shorter_side", [None, 224])
def test_30000_by_30000_is_refused_by_its_header(kind: str, shorter_side: int | None) -> None:
    with pytest.raises(UnreadableImageError, match="30000 x 30000 pixels is too large"):
        decode(BOMBS[kind](30_000, 30_000), shorter_side=shorter_side)


@pytest.mark.parametrize("kind", BOMBS)
def test_a_little_too_large(kind: str) -> None:
    with pytest.raises(UnreadableImageError, match="at most 89 million"):
        decode(BOMBS[kind](10_001, 9_000))


def test_a_strip_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="1 x 30000 pixels is too elongated"):
        decode(encoded(Image.new("L", (1, 30_000)), "PNG"))
    with pytest.raises(UnreadableImageError, match="too elongated"):
        load(ImageRecord("image 0", image=Image.new("RGB", (2, 201))))
    assert decode(encoded(Image.new("L", (2, 200)), "PNG")).size == (2, 200)


def test_a_large_baseline_jpeg_is_read_in_draft_and_a_progressive_one_is_not() -> None:
    size = (12_000, 9_000)
    plain = encoded(Image.new("L", size), "JPEG", quality=30)
    assert decode(plain, shorter_side=224).size == (1500, 1125)
    with pytest.raises(UnreadableImageError, match="at most 89 million"):
        decode(plain)
    deep = jpeg_of_size(15_000, 13_000, progressive=True, subsampling=0)
    with pytest.raises(UnreadableImageError, match=r"decoding it takes 1\.\d GB; at most 1.1 GB"):
        decode(deep, shorter_side=224)


def test_limits_neither_warn_nor_change_the_hosts_own() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in BOMBS.values():
            with pytest.raises(UnreadableImageError):
                decode(make(10_000, 12_000))
    assert before == Image.MAX_IMAGE_PIXELS


BOMB_MEMORY = """
import resource, sys
from inkling.errors import UnreadableImageError
from inkling.images.decode import decode
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    for side in (None, 224):
        try:
            decode(data, shorter_side=side)
        except UnreadableImageError:
            continue
        raise SystemExit(f"{path} was read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat_over_bombs(tmp_path: Path) -> None:
    paths = []
    for number, make in enumerate(BOMBS.values()):
        for size in ((30_000, 30_000), (16_000, 16_000)):
            path = tmp_path / f"{number}-{size[0]}"
            path.write_bytes(make(*size))
            paths.append(str(path))
    run = subprocess.run([sys.executable, "-c", BOMB_MEMORY, *paths], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(run.stdout) * unit < 32 * 1024 * 1024


def test_a_palette_that_is_missing() -> None:
    """Pillow opens and loads such a file; only its colours fail, with an AssertionError."""
    picture = Image.new("P", (3, 2))
    picture.putpalette([1, 2, 3])
    data = encoded(picture, "PNG")
    start = data.index(b"PLTE") - 4
    length = int.from_bytes(data[start : start + 4])
    with pytest.raises(UnreadableImageError, match="mode P cannot be shown in RGB"):
        decode(data[:start] + data[start + length + 12 :])


def test_a_compressed_bomb_of_text_in_a_png() -> None:
    data = encoded(photo(), "PNG")
    bomb = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(200_000_000), 9))
    with pytest.raises(UnreadableImageError, match="PNG"):
        decode(data[:33] + bomb + data[33:])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(formats._SIGNATURES)), st.binary(max_size=200))
def test_any_bytes_behind_a_signature_are_read_or_refused(signature: bytes, rest: bytes) -> None:
    _read_or_refuse(signature + rest)


SMALL = {kind: encoded(photo(size=(12, 12)), kind) for kind in KINDS}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_any_damage_is_read_or_refused(kind: str, draw: st.DataObject) -> None:
    data = bytearray(SMALL[kind])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    _read_or_refuse(bytes(data))


def _read_or_refuse(data: bytes) -> None:
    try:
        image = decode(data)
    except UnreadableImageError:
        return
    assert image.mode == "RGB"


@pytest.mark.parametrize(
    ("path", "reason"), [("missing.jpg", "does not exist"), (".", "folder"), ("a\0b", "cannot be read")]
)
def test_paths_that_are_no_files(path: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        load(ImageRecord(str(tmp_path / path)))
