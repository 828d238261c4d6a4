"""Whether two thumbnails are of one picture, once one is laid over the other to a fraction of a pixel.

What other photographs of one thing have in common with copies is the whole of it; they differ in places, or in colour.
So three things have to be alike: all grey pixels, the grey pixels of each place, and the colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from inkling.auditing.same_picture import Start

Pixels = NDArray[np.float32]
ALIKE, ALIKE_IN_PLACES, ALIKE_IN_COLOUR = 0.9875, 0.85, 0.95
"""Correlation of grey pixels, the least one of a place, and the likeness of colours, from which two are one picture.

Chosen on half of the classes of Caltech-101, among pairs that were judged by eye and copies that were planted."""
ROUGH, FINE = 24, 32
"""Pixels of a side as pictures are laid over each other, and as they are compared."""
ALIKE_ROUGHLY = 0.985
"""Correlation of rough pixels, laid over each other, from which fine ones are looked at: 99.5 % of copies have it."""
_ALL = (0.0, 0.0, 1.0, 1.0)
_ROUGH_STEPS, _FINE_STEPS = 4, 2
_FARTHEST = 0.03
"""Share of a side by which an edge moves at most."""
_PLACE = 8
"""Fine pixels of a side of a place."""
_FLAT, _GREY = 0.2, 8.0
"""Of a place, contrast that tells nothing, as a share of the picture's; levels of colour that tell nothing."""


@dataclass(frozen=True, eq=False)
class _Laid:
    """One picture laid over the other: its box, both as pixels of mean 0, and their correlation."""

    box: NDArray[np.float64]
    whole: Pixels
    part: Pixels
    correlation: float


def same_picture(first: NDArray[np.uint8], second: NDArray[np.uint8], start: Start) -> float | None:
    """Correlation of two pictures that are one; None where they are not.

    Parameters
    ----------
    first, second
        Pixels in RGB, (height, width, 3).
    start
        How they lie over each other, roughly.
    """
    one, other = (picture.astype(np.float32) for picture in (first, second))
    if start.mirrored:
        one = one[:, ::-1]
    whole, part = (other, one) if start.first_is_cropped else (one, other)
    grey = whole.mean(axis=2), part.mean(axis=2)
    rough = _laid(*grey, np.array(start.box), ROUGH, _ROUGH_STEPS)
    if rough.correlation < ALIKE_ROUGHLY:
        return None
    fine = _laid(*grey, rough.box, FINE, _FINE_STEPS)
    if fine.correlation < ALIKE or _least_in_places(fine) < ALIKE_IN_PLACES:
        return None
    return fine.correlation if _alike_in_colour(whole, part, fine.box) >= ALIKE_IN_COLOUR else None


def _laid(whole: Pixels, part: Pixels, box: NDArray[np.float64], side: int, steps: int) -> _Laid:
    """A box of one picture such that it lies over the whole of another: least squares by Gauss and Newton."""
    target = _sampled(whole, np.array(_ALL), side)
    target, start, best = target - target.mean(), box, None
    for step in range(steps + 1):
        pixels = _sampled(part, box, side)
        pixels = pixels - pixels.mean()
        lengths = np.linalg.norm(target) * np.linalg.norm(pixels)
        now = _Laid(box, target, pixels, float((target * pixels).sum() / max(lengths, 1e-6)))
        best = now if best is None or now.correlation > best.correlation else best
        if step < steps:
            box = np.clip(_moved(box, target, pixels), start - _FARTHEST, start + _FARTHEST)
    assert best is not None
    return best


def _moved(box: NDArray[np.float64], target: Pixels, pixels: Pixels) -> NDArray[np.float64]:
    """The box one step further: moved and stretched along each side; contrast and brightness are free."""
    side = len(pixels)
    along = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    down, right = (slope * side for slope in np.gradient(pixels))
    ways = (right, right * along, down, down * along[:, None], pixels, np.ones_like(pixels))
    changes = np.stack(ways).reshape(len(ways), -1)
    scatter = changes @ changes.T
    scatter[np.diag_indices(len(ways))] = scatter.diagonal() * (1 + 1e-4) + 1e-3
    found = np.linalg.solve(scatter, changes @ target.ravel())
    contrast = found[4] if abs(found[4]) > 1e-3 else 1.0
    x, wider, y, higher = np.clip(found[:4] / contrast, -_FARTHEST, _FARTHEST)
    left, top, width, height = box[0], box[1], box[2] - box[0], box[3] - box[1]
    middle = np.array([left + (0.5 + x) * width, top + (0.5 + y) * height])
    half = np.array([width * (1 + wider), height * (1 + higher)]) / 2
    return np.concatenate([middle - half, middle + half])


def _sampled(plane: Pixels, box: NDArray[np.float64], side: int) -> Pixels:
    """A box of a plane, in shares of its sides, as `side` x `side` pixels that are means of what they cover."""
    left, top, right, bottom = box.tolist()
    height, width = plane.shape
    return np.asarray(_means(top, bottom, height, side) @ plane @ _means(left, right, width, side).T)


@lru_cache(maxsize=1024)  # that of a whole picture is asked for again and again
def _means(start: float, end: float, size: int, side: int) -> Pixels:
    """What each of `side` pixels takes of each of `size`, (side, size); beyond the edge, of the one at the edge."""
    edges = np.linspace(start, end, side + 1)[:, None] * size
    borders = np.arange(size + 1, dtype=np.float64)
    borders[0], borders[-1] = -np.inf, np.inf
    low = np.maximum(edges[:-1], borders[:-1])
    covered = np.maximum(np.minimum(edges[1:], borders[1:]) - low, 0.0)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True), dtype=np.float32)


def _least_in_places(laid: _Laid) -> float:
    """The least correlation of a place of both; places without contrast in either are alike."""
    whole, part = laid.whole, laid.part
    part = part * ((whole * part).sum() / max(float((part * part).sum()), 1e-6))
    means = uniform_filter(whole, _PLACE), uniform_filter(part, _PLACE)
    both = uniform_filter(whole * part, _PLACE) - means[0] * means[1]
    each = [uniform_filter(one * one, _PLACE) - mean**2 for one, mean in zip((whole, part), means, strict=True)]
    flat = (_FLAT * float(whole.std())) ** 2 + 1e-6
    lengths = np.sqrt((np.maximum(each[0], 0.0) + flat) * (np.maximum(each[1], 0.0) + flat))
    return float(((both + flat) / lengths).min())


def _alike_in_colour(whole: Pixels, part: Pixels, box: NDArray[np.float64]) -> float:
    """The cosine of how pixels differ from grey; 1 for pictures that are grey."""
    one = np.stack([_sampled(plane, np.array(_ALL), ROUGH) for plane in _colours(whole)])
    other = np.stack([_sampled(plane, box, ROUGH) for plane in _colours(part)])
    grey = _GREY**2 * one.size
    lengths = np.sqrt((float((one * one).sum()) + grey) * (float((other * other).sum()) + grey))
    return float(((one * other).sum() + grey) / lengths)


def _colours(pixels: Pixels) -> Pixels:
    """Red against green, and blue against both."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return np.stack([red - green, blue - np.float32(0.5) * (red + green)])
