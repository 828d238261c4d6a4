"""Thumbnails as samples and memories keep them, read again; a damaged one is like one that is missing."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

MOST_PIXELS = 1 << 22
"""A header that says more is none of a thumbnail, and would have gigabytes set aside. Pillow's own limit may be off."""
_DAMAGED = (OSError, ValueError, Image.DecompressionBombError)
"""What Pillow raises of damaged bytes: a header may say any size."""


def decoded(jpeg: bytes | None, mode: str) -> Image.Image | None:
    """A thumbnail in a pixel mode such as ``RGB`` or ``L``; None where it is missing or cannot be read."""
    picture = _opened(jpeg)
    try:
        return None if picture is None else picture.convert(mode)
    except _DAMAGED:
        return None


def size_of(jpeg: bytes | None) -> tuple[int, int] | None:
    """Width and height of a thumbnail, by its header alone; None where it is missing or cannot be read."""
    picture = _opened(jpeg)
    return None if picture is None else picture.size


def _opened(jpeg: bytes | None) -> Image.Image | None:
    try:
        picture = None if jpeg is None else Image.open(BytesIO(jpeg))
    except _DAMAGED:
        return None
    return picture if picture is not None and picture.width * picture.height <= MOST_PIXELS else None
