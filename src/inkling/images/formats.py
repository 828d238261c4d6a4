"""Which files are opened as images, judged by their headers before any pixel is allocated.

The readers of Pillow are called by their formats' signatures rather than through ``Image.open``: only the
formats that we promise are ever parsed, and Pillow's process-wide limit and its warnings stay as the host
program set them.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from inkling.errors import UnreadableImageError

MAX_PIXELS = 250_000_000
"""A picture whose header says more is refused, whatever its format."""

MAX_DECODED_PIXELS = 89_000_000
"""Pixels that one picture may occupy in memory (4 bytes each), after JPEG draft scaling."""

MAX_ASPECT = 100
"""Longer side over shorter side: a 1 x 30,000 strip, resized to 224 pixels of width, would be a gigapixel."""

DRAFT_MARGIN = 2
"""A JPEG may be decoded at 1/2, 1/4 or 1/8 while its sides stay this many times what the encoder reads.

Tolerance: after the encoder's bicubic resize, pixels differ from those of a full decoding by at most 2.5 of
255 in the mean over a picture (photographs: 0.6 in the mean over pictures).
"""

_SIGNATURES: dict[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
    b"GIF87a": GifImagePlugin.GifImageFile,
    b"GIF89a": GifImagePlugin.GifImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"II*\0": TiffImagePlugin.TiffImageFile,
    b"MM\0*": TiffImagePlugin.TiffImageFile,
    b"II+\0": TiffImagePlugin.TiffImageFile,
    b"MM\0+": TiffImagePlugin.TiffImageFile,
}


def load_pixels(data: bytes, *, shorter_side: int | None = None) -> ImageFile.ImageFile:
    """First frame of an image file, in the mode that it is stored in; otherwise as `decode`."""
    reader = _reader(data)
    try:
        if reader is WebPImagePlugin.WebPImageFile:
            _check_webp(data)
        image = reader(BytesIO(data))
        check_size(image.size)
        _draft(image, shorter_side)
        image.load()
    except UnreadableImageError:
        raise
    except Exception as error:  # Pillow's readers raise almost anything on damaged bytes
        cause = str(error) or type(error).__name__
        raise UnreadableImageError(f"damaged or truncated {reader.format} file ({cause})") from error
    return image


def _reader(data: bytes) -> type[ImageFile.ImageFile]:
    if not data:
        raise UnreadableImageError("the file is empty")
    for signature, reader in _SIGNATURES.items():
        if data.startswith(signature):
            return reader
    raise UnreadableImageError(f"not a JPEG, PNG, WebP, GIF, BMP or TIFF image (it starts with {data[:8]!r})")


def _check_webp(data: bytes) -> None:
    """Refuse before the reader is constructed, which allocates the whole canvas at once."""
    canvas = _webp_canvas(data)
    check_size(canvas)
    _check_memory(canvas, header=canvas)


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Width and height by the first chunk."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", data[26:30]))
    return width, height


def check_size(size: tuple[int, int]) -> None:
    """Refuse a picture by its width and height alone.

    Raises
    ------
    UnreadableImageError
        If it has more than `MAX_PIXELS`, or is more elongated than 1 to `MAX_ASPECT`.
    """
    width, height = size
    if width * height > MAX_PIXELS:
        raise _too_large(size, MAX_PIXELS)
    if max(size) > MAX_ASPECT * min(size):
        raise UnreadableImageError(f"{width} x {height} pixels is too elongated (at most 1 to {MAX_ASPECT} is read)")


def _draft(image: ImageFile.ImageFile, shorter_side: int | None) -> None:
    """Choose the scale of a JPEG, and refuse what would still not fit."""
    header = image.size
    if shorter_side is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
        scale = _draft_scale(header, DRAFT_MARGIN * shorter_side)
        image.draft(None, (header[0] // scale, header[1] // scale))
    # libjpeg holds all coefficients of a progressive file at full size, whatever the scale.
    _check_memory(header if "progressive" in image.info else image.size, header=header)


def _check_memory(size: tuple[int, int], *, header: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_DECODED_PIXELS:
        raise _too_large(header, MAX_DECODED_PIXELS)


def _draft_scale(size: tuple[int, int], least: int) -> int:
    """Largest of libjpeg's scales that divides both sides and leaves at least `least` pixels.

    A side that does not divide would be rounded up, and the encoder's resize and crop would then land up to a
    pixel beside those of the full picture: measured, that changes prepared pixels five times as much as the
    scaling itself.
    """
    for scale in (8, 4, 2):
        if all(side % scale == 0 and side // scale >= least for side in size):
            return scale
    return 1


def _too_large(size: tuple[int, int], limit: int) -> UnreadableImageError:
    return UnreadableImageError(
        f"{size[0]} x {size[1]} pixels is too large (at most {limit // 1_000_000} million pixels are read)"
    )
