"""What decoding a picture costs in memory, told from its header, and where the limits are.

A picture's file, what its decoder holds, and its forms on the way to upright RGB stand in memory together. The factors
below were measured: the highest resident memory of a process that decodes one picture, per pixel.
"""

from __future__ import annotations

import struct

from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, ImageFile, JpegImagePlugin, TiffImagePlugin

from inkling.errors import UnreadableImageError

MAX_PIXELS = 250_000_000
"""A picture whose header says more is refused, whatever its format."""

MAX_DECODED_PIXELS = 89_000_000
"""Pixels of a picture in memory, after JPEG draft scaling: Pillow's own methods warn above 89.5 million."""

MAX_DECODED_BYTES = 1_100_000_000
"""What one picture may take in memory while it is decoded, its file included."""

MAX_ASPECT = 100
"""Longer side over shorter side: a 1 x 30,000 strip, resized to 224 pixels of width, would be a gigapixel."""

_RGB = 4
"""Bytes that Pillow stores for a pixel of three or four channels."""

_BYTES_OF_MODES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}

_WEBP = 17
"""Two canvases, the frame, its bytes and the picture."""

_AVIF = 14
"""Planes of up to 12 bits with alpha, their 8-bit form and its bytes."""

_HEIF, _DEEP_HEIF = 9, 16
"""The same of a HEIC, and of one with more than 8 bits a channel."""

_TIFF_COMPRESSION, _TIFF_ROWS_OF_STRIP, _TIFF_TILE_LENGTH = 259, 278, 323
_TIFF_BITS, _TIFF_SAMPLES = 258, 277
_TIFF_UNCOMPRESSED = 1
_TIFF_JPEG = (6, 7)


def check_size(size: tuple[int, int]) -> None:
    """Refuse a picture by its width and height alone.

    Raises
    ------
    UnreadableImageError
        If it has no pixel, or more than `MAX_PIXELS`, or is more elongated than 1 to `MAX_ASPECT`.
    """
    width, height = size
    if width * height > MAX_PIXELS:
        raise _too_large(size, MAX_PIXELS)
    if not min(size):
        raise UnreadableImageError(f"the picture is empty: {width} x {height} pixels")
    if max(size) > MAX_ASPECT * min(size):
        raise UnreadableImageError(f"{width} x {height} pixels is too elongated (at most 1 to {MAX_ASPECT} is read)")


def check_decoding(image: ImageFile.ImageFile, data: bytes, *, header: tuple[int, int]) -> None:
    """Refuse an opened picture that is not loaded yet if decoding it would take more than `MAX_DECODED_BYTES`.

    Parameters
    ----------
    image
        The picture; of a JPEG, at the scale that it will be decoded at.
    data
        The file.
    header
        Width and height by the file's header.

    Raises
    ------
    UnreadableImageError
        If it would, or if there are more than `MAX_DECODED_PIXELS`.
    """
    stored = _BYTES_OF_MODES.get(image.mode, _RGB)
    pixels = image.width * image.height
    if pixels > MAX_DECODED_PIXELS:
        raise _too_large(header, MAX_DECODED_PIXELS)
    # At the end stand either the stored form and its RGB form, or the RGB form and the same turned upright.
    converting = pixels * (max(stored, _RGB) + _RGB)
    _check_bytes(len(data) + max(converting, _decoding(image, data, header) + pixels * stored), header)


def check_webp(data: bytes) -> None:
    """Refuse a WebP before its reader is constructed, which allocates the whole canvas at once.

    Raises
    ------
    UnreadableImageError
        As `check_size` and `check_decoding`.
    """
    canvas = webp_canvas(data)
    check_size(canvas)
    if canvas[0] * canvas[1] > MAX_DECODED_PIXELS:
        raise _too_large(canvas, MAX_DECODED_PIXELS)
    _check_bytes(len(data) + canvas[0] * canvas[1] * _WEBP, canvas)


def _too_large(size: tuple[int, int], limit: int) -> UnreadableImageError:
    return UnreadableImageError(
        f"{size[0]} x {size[1]} pixels is too large (at most {limit // 1_000_000} million pixels are read)"
    )


def _check_bytes(needed: int, size: tuple[int, int]) -> None:
    if needed > MAX_DECODED_BYTES:
        raise UnreadableImageError(
            f"{size[0]} x {size[1]} pixels is too large (decoding it takes {needed / 1e9:.1f} GB; "
            f"at most {MAX_DECODED_BYTES / 1e9:.1f} GB are used)"
        )


def _decoding(image: ImageFile.ImageFile, data: bytes, header: tuple[int, int]) -> int:
    """Bytes that the decoder holds beside the picture."""
    pixels = header[0] * header[1]
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _jpeg_coefficients(image, data, pixels)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _tiff_strip(image)
    if isinstance(image, AvifImagePlugin.AvifImageFile):
        return _AVIF * pixels
    if isinstance(image, GifImagePlugin.GifImageFile | BmpImagePlugin.BmpImageFile):
        return 2 * pixels  # the frame before; the runs of a compressed bitmap, unrolled
    if image.format == "HEIF":
        return pixels * (_DEEP_HEIF if image.info.get("bit_depth", 8) > 8 else _HEIF)
    return 0


def _jpeg_coefficients(image: JpegImagePlugin.JpegImageFile, data: bytes, pixels: int) -> int:
    """libjpeg holds all coefficients of a file of several scans at full size, whatever the scale: 2 bytes each."""
    if "progressive" not in image.info and _first_scan_is_whole(data, len(image.layer)):
        return 0
    across, down = (max(channel[axis] for channel in image.layer) for axis in (1, 2))
    share = sum(channel[1] * channel[2] for channel in image.layer) / (across * down)
    return int(2 * share * pixels)


def _first_scan_is_whole(data: bytes, n_channels: int) -> bool:
    """Whether the first scan of a JPEG holds all channels."""
    at = 2
    while at + 4 < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] != 0xFF:
            return False
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 0xDA:
            return data[at + 4] == n_channels
        else:
            at += 2 + length
    return False


def _tiff_strip(image: TiffImagePlugin.TiffImageFile) -> int:
    """libtiff unpacks a compressed strip or tile as a whole."""
    tags = image.tag_v2
    compression = tags.get(_TIFF_COMPRESSION, _TIFF_UNCOMPRESSED)
    if compression == _TIFF_UNCOMPRESSED:
        return 0
    rows = min(int(tags.get(_TIFF_TILE_LENGTH) or tags.get(_TIFF_ROWS_OF_STRIP) or image.height), image.height)
    bits = max(tags.get(_TIFF_BITS, (1,))) * int(tags.get(_TIFF_SAMPLES, 1))
    # A strip of JPEG may be progressive.
    per_pixel = bits / 8 * (3 if compression in _TIFF_JPEG else 1)
    return int(per_pixel * image.width * rows)


def webp_canvas(data: bytes) -> tuple[int, int]:
    """Of a WebP: width and height by the first chunk."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", data[26:30]))
    return width, height
