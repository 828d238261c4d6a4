"""Names on a map, placed so that none overlaps another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from inkling.reports.formats import clipped

FONT_SIZE = 12.5
PHONE_FONT_SIZE = 25.0
LONGEST = 22
MOST_LABELS = 30
_GAP = 4.0
_LINES_DOWN = (0.0, -1.2, 1.2, -2.4, 2.4)


@dataclass(frozen=True)
class Label:
    """A name centred on (x, y). `on_phone`: there is room for it at the phone's font size too."""

    x: float
    y: float
    text: str
    class_index: int
    on_phone: bool


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def place_labels(centres: Sequence[tuple[int, str, float, float]], *, width: float, height: float) -> tuple[Label, ...]:
    """Place as many names as fit, in the order given.

    Names that fit at the phone's font size, which is larger in the drawing's units, take their place first;
    the others go where there is still room at the normal size.

    Parameters
    ----------
    centres
        Class index, name, x and y of each class.
    """
    frame = _Box(0, 0, width, height)
    labels: dict[int, Label] = {}
    for size, on_phone in ((PHONE_FONT_SIZE, True), (FONT_SIZE, False)):
        taken = [_box(label.text, label.x, label.y, size) for label in labels.values()]
        for index, name, x, y in centres:
            text = clipped(name, LONGEST)
            if index in labels or len(labels) == MOST_LABELS:
                continue
            spot = _free_spot(text, x, y, size=size, taken=taken, frame=frame)
            if spot is not None:
                taken.append(_box(text, *spot, size))
                labels[index] = Label(round(spot[0], 1), round(spot[1], 1), text, index, on_phone)
    return tuple(labels.values())


def _free_spot(
    text: str, x: float, y: float, *, size: float, taken: Sequence[_Box], frame: _Box
) -> tuple[float, float] | None:
    """The first of a few places near (x, y), pushed inside the frame, that no other name covers."""
    half = _width(text, size) / 2 + _GAP
    inside = min(max(x, frame.left + half), frame.right - half)
    for down in _LINES_DOWN:
        spot = (inside, min(max(y + down * size, size), frame.bottom - size))
        box = _box(text, *spot, size)
        if not any(box.overlaps(other) for other in taken):
            return spot
    return None


def _box(text: str, x: float, y: float, size: float) -> _Box:
    half = _width(text, size) / 2 + _GAP
    return _Box(x - half, y - size * 0.6 - _GAP, x + half, y + size * 0.6 + _GAP)


def _width(text: str, size: float) -> float:
    """Generous estimate: a full em for East Asian characters, 0.6 em for others."""
    return size * sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.6 for c in text)
