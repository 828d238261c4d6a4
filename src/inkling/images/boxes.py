"""Boxes in pictures: how they are written beside a path, and which pixels they are.

A crop is named by its picture and its box, ``photo.jpg#xywh=10,20,30,40``, as the W3C's Media Fragments write a
rectangle; ``percent:`` before the numbers stands for shares. After it may follow the margin and the id of the box:
``&margin=0.1&id=12``. So a path alone is enough to find the crop again.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote, unquote

from inkling.errors import InputError, UnreadableImageError
from inkling.images.places import is_url
from inkling.types import Box, ImageRecord

_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_FRAGMENT = re.compile(
    rf"(?P<file>.+)#xywh=(?P<percent>percent:)?(?P<numbers>{_NUMBER}(?:,{_NUMBER}){{3}})"
    rf"(?:&margin=(?P<margin>{_NUMBER}))?(?:&id=(?P<id>[^&#]*))?",
    re.DOTALL,
)
_CROP_HASH = re.compile(r"([0-9a-f]{32})#[0-9a-f]{16}")
_ROUNDING = 1e-6
"""What a product of shares and sides may be beside a whole number of pixels."""
_DIGITS = ".12g"
MOST_MARGIN = 10.0
CONFIDENCE = 0.2


@dataclass(frozen=True)
class BoxReading:
    """How boxes of a source are read.

    Attributes
    ----------
    margin
        By what share of its width and height each box is widened at each of its edges; what lies outside of the
        picture is cut off.
    root
        Folder that pictures in tables and annotations are relative to; None: that of the file that names them.
    confidence
        Boxes of a detector that are less certain are left out.
    """

    margin: float = 0.0
    root: str | Path | None = None
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= MOST_MARGIN:
            raise InputError(
                f"The margin must lie between 0 and {MOST_MARGIN:g}, got {self.margin}.",
                remedy="It is a share of the box's width and height: 0.1 adds a tenth at each edge.",
            )
        if not 0 <= self.confidence <= 1:
            raise InputError(f"The confidence must lie between 0 and 1, got {self.confidence}.")
        if self.root is not None and not is_url(str(self.root)) and not Path(self.root).is_dir():
            raise InputError(
                f"The root '{self.root}' is not a folder.", remedy="Name the folder that the pictures' paths begin in."
            )


def boxed_record(file: str, label: str | None, box: Box | None) -> ImageRecord:
    """The record of a picture, or of a box in it."""
    return ImageRecord(file, label) if box is None else ImageRecord(shown(file, box), label, box=box, file=file)


def record_of_path(path: str, label: str | None = None) -> ImageRecord:
    """The record of a file, or of the box that its path names. A file of just that name comes first.

    Examples
    --------
    >>> record_of_path("a.jpg#xywh=1,2,3,4&id=7").box
    Box(x=1.0, y=2.0, width=3.0, height=4.0, in_shares=False, margin=0.0, id='7', picture_size=None)
    """
    read = None if "#xywh=" not in path or os.path.lexists(path) else parsed(path)
    return ImageRecord(path, label) if read is None else ImageRecord(path, label, box=read[1], file=read[0])


def shown(file: str, box: Box) -> str:
    """Path of a picture with a box in it."""
    sides = (box.x, box.y, box.width, box.height)
    numbers = ",".join(f"{100 * side if box.in_shares else side:{_DIGITS}}" for side in sides)
    margin = f"&margin={box.margin:{_DIGITS}}" if box.margin else ""
    name = "" if box.id is None else f"&id={quote(box.id, safe='/:')}"
    return f"{file}#xywh={'percent:' if box.in_shares else ''}{numbers}{margin}{name}"


def parsed(path: str) -> tuple[str, Box] | None:
    """The picture's path and the box that a path names; None where it names no box."""
    found = _FRAGMENT.fullmatch(path)
    if found is None:
        return None
    in_shares = found["percent"] is not None
    x, y, width, height = (float(number) / (100 if in_shares else 1) for number in found["numbers"].split(","))
    name = None if found["id"] is None else unquote(found["id"])
    return found["file"], Box(x, y, width, height, in_shares, float(found["margin"] or 0), name)


def crop_hash(picture: str, box: Box) -> str:
    """Content hash of a box in a picture with this content hash: `source_of` tells the picture's again.

    Neither its id nor its label counts: they change no pixel.
    """
    sides = (box.x, box.y, box.width, box.height, box.margin)
    text = f"{box.in_shares} {' '.join(format(side, _DIGITS) for side in sides)}"
    return f"{picture}#{blake2b(text.encode(), digest_size=8).hexdigest()}"


def source_of(content_hash: str) -> str:
    """Content hash of the picture that an image comes from: boxes in one picture share it."""
    found = _CROP_HASH.fullmatch(content_hash)
    return content_hash if found is None else found[1]


def pixels_of(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge of a box in a picture of that size, its margin added, cut at the border.

    Raises
    ------
    UnreadableImageError
        If the box has no area or lies outside of the picture, or was drawn on a picture of another size.
    """
    if box.picture_size is not None and box.picture_size != size:
        raise UnreadableImageError(_other_size(box.picture_size, size))
    if not all(map(math.isfinite, (box.x, box.y, box.width, box.height))):
        raise UnreadableImageError("the box is not of finite numbers")
    if box.width <= 0 or box.height <= 0:
        raise UnreadableImageError(f"the box has no area ({box.width:g} x {box.height:g})")
    across, down = size if box.in_shares else (1, 1)
    left, right = box.x * across, (box.x + box.width) * across
    upper, lower = box.y * down, (box.y + box.height) * down
    if right <= 0 or lower <= 0 or left >= size[0] or upper >= size[1]:
        raise UnreadableImageError(f"the box lies outside of the picture of {size[0]} x {size[1]} pixels")
    wide, high = box.margin * (right - left), box.margin * (lower - upper)
    first, last = _within(left - wide, right + wide, size[0])
    top, bottom = _within(upper - high, lower + high, size[1])
    return first, top, last, bottom


def _within(begin: float, end: float, most: int) -> tuple[int, int]:
    """Whole pixels that a stretch touches, at least one of them."""
    first = min(max(0, math.floor(begin + _ROUNDING)), most - 1)
    return first, min(max(math.ceil(end - _ROUNDING), first + 1), most)


def _other_size(stated: tuple[int, int], size: tuple[int, int]) -> str:
    turned = " (is the box drawn on the picture before it was turned upright?)" if stated == size[::-1] else ""
    return (
        f"the picture has {size[0]} x {size[1]} pixels, its annotations are of {stated[0]} x {stated[1]} pixels{turned}"
    )
