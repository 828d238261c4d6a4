"""How two thumbnails lie over each other, roughly: whole, cropped, or as mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkling.images.thumbnails import decoded

SIDE = 24
EDGE = 0.05
"""Share of a side that a crop may have taken from it."""
CUTS = ((0.0, 0.0), (EDGE, 0.0), (EDGE / 2, EDGE / 2), (0.0, EDGE), (EDGE, EDGE))
"""Shares that a crop may have taken from both ends of a side: all on one, half on each, or as much from both."""
BOXES = tuple((a, b, 1 - c, 1 - d) for (a, c), (b, d) in product(CUTS, repeat=2))
"""Left, top, right and bottom of what such crops keep."""
KEPT = 4096
"""Pictures kept at hand: 60 KB each, and in colour 21 KB each."""
GLANCE = 8
"""Pixels of a side of the picture by which most pairs are ruled out."""


class Overlays:
    """Thumbnails, compared in pairs.

    Parameters
    ----------
    thumbnails
        JPEG of each.
    """

    def __init__(self, thumbnails: Sequence[bytes | None]) -> None:
        self._thumbnails = thumbnails
        self.crops = lru_cache(maxsize=KEPT)(self._crops)
        self.pixels = lru_cache(maxsize=KEPT)(self._pixels)

    def _crops(self, row: int) -> NDArray[np.float32]:
        """Grey pixels of the picture, and of it without some of its edges: (crops, pixels), of mean 0 and length 1.

        A plain picture, and one that is missing or damaged, is zeros.
        """
        grey = decoded(self._thumbnails[row], "L")
        if grey is None:
            return np.zeros((len(CUTS) ** 2, SIDE * SIDE), dtype=np.float32)
        w, h = grey.size
        boxes = [(left * w, top * h, right * w, bottom * h) for left, top, right, bottom in BOXES]
        small = [grey.resize((SIDE, SIDE), Image.Resampling.BOX, box=box) for box in boxes]
        return _centred(np.stack([np.asarray(one, dtype=np.float32).ravel() for one in small]))

    def _pixels(self, row: int) -> NDArray[np.uint8]:
        """The picture in RGB, (height, width, 3); one that is missing or damaged is black."""
        picture = decoded(self._thumbnails[row], "RGB")
        return np.zeros((1, 1, 3), dtype=np.uint8) if picture is None else np.asarray(picture)


def at_a_glance(grey: Image.Image) -> NDArray[np.float32]:
    """8 x 8 pixels of a grey picture, of mean 0 and length 1, (64,); those of a plain one are zeros."""
    small = grey.resize((GLANCE, GLANCE), Image.Resampling.BOX)
    return _centred(np.asarray(small, dtype=np.float32).ravel())


def _centred(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    pixels = pixels - pixels.mean(axis=-1, keepdims=True)
    return cast(NDArray[np.float32], pixels / np.maximum(np.linalg.norm(pixels, axis=-1, keepdims=True), 1e-6))


@dataclass(frozen=True)
class Start:
    """How two pictures lie over each other best.

    Attributes
    ----------
    correlation
        Of their grey pixels then.
    box
        What one of them keeps of it: left, top, right and bottom in shares of its sides.
    first_is_cropped
        Whether that is the first.
    mirrored
        Whether the first is seen in a mirror.
    """

    correlation: float
    box: tuple[float, float, float, float]
    first_is_cropped: bool
    mirrored: bool


def best_start(first: NDArray[np.float32], second: NDArray[np.float32]) -> Start:
    """A whole picture over a crop of the other, or over its mirror image.

    Parameters
    ----------
    first, second
        As from `Overlays.crops`.
    """
    mirrored = first.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(first), -1)
    ways = np.stack([first @ second[0], second @ first[0], mirrored @ second[0], second @ mirrored[0]])
    way, box = divmod(int(ways.argmax()), len(BOXES))
    return Start(float(ways[way, box]), BOXES[box], way % 2 == 0, way >= 2)
