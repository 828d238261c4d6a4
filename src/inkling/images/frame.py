"""Frames around pictures: strips of one colour along opposite edges, with a sharp straight end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.types import BoolArray, FloatArray

ONE_COLOUR = 10.0
"""By how much, of 255, pixels of a strip may differ from its colour: compression blurs little more."""
CLEARLY = 30.0
"""By how much pixels behind its end differ from it."""
MOST_OF = 0.75
"""Share of the pixels behind its end that do: a thing before a plain background has no such line around it."""
ONE_ROW = 0.98
"""Share of the pixels of a row of a strip that have its colour."""
LEAST = 0.03
"""Share of a side that a strip takes at least."""
_SOFT = 2
"""Rows of a thumbnail over which the end of a strip may be soft."""


@dataclass(frozen=True)
class Frame:
    """Shares of the sides that its strips take.

    Attributes
    ----------
    left, top, right, bottom
        0 where there is no strip.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Share of the picture that it takes."""
        return 1.0 - (1.0 - self.left - self.right) * (1.0 - self.top - self.bottom)


def frame_of(pixels: FloatArray) -> Frame | None:
    """The frame of a picture (height, width, 3), on two opposite sides at least; None without one."""
    top, bottom = _strips(pixels)
    left, right = _strips(pixels[round(top * len(pixels)) : len(pixels) - round(bottom * len(pixels))].swapaxes(0, 1))
    return Frame(left, top, right, bottom) if top or left else None


def _strips(pixels: FloatArray) -> tuple[float, float]:
    """Shares that strips at both ends of the first axis take; none where one lacks."""
    first = _strip(pixels)
    last = _strip(pixels[::-1]) if first else 0
    return (first / len(pixels), last / len(pixels)) if first and last else (0.0, 0.0)


def _strip(pixels: FloatArray) -> int:
    """Rows of the strip at the beginning; 0 without one."""
    colour = np.median(pixels[0], axis=0)
    if (np.abs(pixels[0] - colour).max(axis=1) <= ONE_COLOUR).mean() < ONE_ROW:
        return 0  # as in most pictures; the rest takes twenty times as long
    apart = np.abs(pixels - colour).max(axis=2)
    plain: BoolArray = (apart <= ONE_COLOUR).mean(axis=1) >= ONE_ROW
    rows = len(plain) if plain.all() else int(np.argmin(plain))
    behind = apart[rows : rows + _SOFT + 1]
    if rows < max(2, LEAST * len(plain)) or rows > 0.4 * len(plain) or len(behind) <= _SOFT:
        return 0
    return rows if (behind.max(axis=0) >= CLEARLY).mean() >= MOST_OF else 0
