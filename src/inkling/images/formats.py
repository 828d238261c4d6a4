"""Which files are opened as images, judged by their headers before any pixel is allocated.

The readers of Pillow are called by their formats' signatures rather than through ``Image.open``: only the
formats that we promise are ever parsed, and Pillow's process-wide limit and its warnings stay as the host
program set them.
"""

from __future__ import annotations

from io import BytesIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from inkling.errors import MissingExtraError, UnreadableImageError, require
from inkling.images.budget import check_decoding, check_size, check_webp, webp_canvas
from inkling.wording import excerpt

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

_HEADED = (JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, TiffImagePlugin.TiffImageFile)

_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}
"""Endings of formats that are not called as they are."""
_BRANDS_OF_AVIF = frozenset({b"avif", b"avis"})
_BRANDS_OF_HEIF = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
)


def load_pixels(data: bytes, *, shorter_side: int | None = None) -> ImageFile.ImageFile:
    """First frame of an image file, in the mode that it is stored in; otherwise as `decode`."""
    reader = _reader(data)
    try:
        if reader is WebPImagePlugin.WebPImageFile:
            check_webp(data)
        image = reader(BytesIO(data))
        check_size(image.size)
        header = image.size
        _draft(image, shorter_side)
        check_decoding(image, data, header=header)
        image.load()
    except UnreadableImageError:
        raise
    except Exception as error:  # Pillow's readers raise almost anything on damaged bytes
        raise UnreadableImageError(f"damaged or truncated {reader.format} file ({excerpt(error)})") from error
    return image


def _reader(data: bytes) -> type[ImageFile.ImageFile]:
    if not data:
        raise UnreadableImageError("the file is empty")
    for signature, reader in _SIGNATURES.items():
        if data.startswith(signature):
            return reader
    brands = _brands(data)
    if brands & _BRANDS_OF_AVIF:
        return AvifImagePlugin.AvifImageFile
    if brands & _BRANDS_OF_HEIF:
        return _heif_reader()
    raise UnreadableImageError(
        f"not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC image (it starts with {data[:8]!r})"
    )


def _brands(data: bytes) -> frozenset[bytes]:
    """What a file in ISO's container says it is, in its first box; AVIF and HEIC share that container."""
    if data[4:8] != b"ftyp":
        return frozenset()
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return frozenset(box[at : at + 4] for at in range(0, len(box), 4) if at != 4)  # the second word is a version


def _heif_reader() -> type[ImageFile.ImageFile]:
    try:
        reader: type[ImageFile.ImageFile] = require("pillow_heif", extra="heic").HeifImageFile
    except MissingExtraError as error:
        raise UnreadableImageError(f"HEIC needs a further package: {error.remedy}") from error
    return reader


def pixel_size(data: bytes) -> tuple[int, int]:
    """Width and height of an image file by its header; no pixel is decoded.

    Raises
    ------
    UnreadableImageError
        If it is no image of a known format, or its header is damaged.
    """
    reader = _reader(data)
    try:
        return webp_canvas(data) if reader is WebPImagePlugin.WebPImageFile else reader(BytesIO(data)).size
    except Exception as error:  # as for pixels
        raise UnreadableImageError(f"damaged or truncated {reader.format} file ({excerpt(error)})") from error


def header_of(head: bytes) -> ImageFile.ImageFile | None:
    """What the beginning of a JPEG, PNG or TIFF file says, without its pixels; None of other formats and where damaged.

    The others are read to their end before they say anything.
    """
    try:
        reader = _reader(head)
        return reader(BytesIO(head)) if reader in _HEADED else None
    except Exception:  # decoding will say what is wrong with it
        return None


def suffix_of(data: bytes) -> str:
    """The ending that an image file has by custom.

    Raises
    ------
    UnreadableImageError
        If it is no image of a known format.
    """
    name = str(_reader(data).format)
    return _SUFFIXES.get(name, f".{name.lower()}")


def draft_scale(data: bytes, shorter_side: int) -> int:
    """By how much `load_pixels` shrinks the sides of a picture while it decodes; 1 for what it can't read."""
    try:
        reader = _reader(data)
        if reader is not JpegImagePlugin.JpegImageFile:
            return 1
        return _draft_scale(reader(BytesIO(data)).size, DRAFT_MARGIN * shorter_side)
    except Exception:  # decoding will say what is wrong with it
        return 1


def _draft(image: ImageFile.ImageFile, shorter_side: int | None) -> None:
    """Choose the scale of a JPEG."""
    if shorter_side is not None and isinstance(image, JpegImagePlugin.JpegImageFile):
        width, height = image.size
        scale = _draft_scale(image.size, DRAFT_MARGIN * shorter_side)
        image.draft(None, (width // scale, height // scale))


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
