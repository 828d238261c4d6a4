"""How alike two thumbnails are once they are laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 24
EDGE = 0.05
"""Share of a side that a crop may have taken from it."""
CUTS = ((0.0, 0.0), (EDGE, 0.0), (EDGE / 2, EDGE / 2), (0.0, EDGE), (EDGE, EDGE))
"""Shares that a crop may have taken from both ends of a side: all on one, half on each, or as much from both."""
KEPT = 4096
"""Pictures kept at hand: 60 KB each."""
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

    def _crops(self, row: int) -> NDArray[np.float32]:
        """Grey pixels of the picture, and of it without some of its edges: (crops, pixels), of mean 0 and length 1.

        A plain picture, and one that is missing, is zeros.
        """
        jpeg = self._thumbnails[row]
        if jpeg is None:
            return np.zeros((len(CUTS) ** 2, SIDE * SIDE), dtype=np.float32)
        with Image.open(BytesIO(jpeg)) as picture:
            grey = picture.convert("L")
        w, h = grey.size
        boxes = [(a * w, b * h, w - c * w, h - d * h) for (a, c), (b, d) in product(CUTS, repeat=2)]
        small = [grey.resize((SIDE, SIDE), Image.Resampling.BOX, box=box) for box in boxes]
        pixels = np.stack([np.asarray(one, dtype=np.float32).ravel() for one in small])
        pixels -= pixels.mean(axis=1, keepdims=True)
        return cast(NDArray[np.float32], pixels / np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1e-6))


def glances_of(thumbnails: Sequence[bytes | None]) -> NDArray[np.float32]:
    """8 x 8 grey pixels of each, without mean and of length 1, (n, 64); zeros where there is no picture."""
    found = np.zeros((len(thumbnails), GLANCE * GLANCE), dtype=np.float32)
    for row, jpeg in enumerate(thumbnails):
        if jpeg is not None:
            with Image.open(BytesIO(jpeg)) as picture:
                small = picture.convert("L").resize((GLANCE, GLANCE), Image.Resampling.BOX)
            found[row] = np.asarray(small, dtype=np.float32).ravel()
    found -= found.mean(axis=1, keepdims=True)
    return cast(NDArray[np.float32], found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6))


def correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """The greatest of a whole picture with a crop of the other, or with that crop's mirror image.

    Parameters
    ----------
    first, second
        As from `Overlays.crops`.
    """
    mirrored = first.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(first), -1)
    ways = (first @ second[0], second @ first[0], mirrored @ second[0], second @ mirrored[0])
    return float(max(way.max() for way in ways))
