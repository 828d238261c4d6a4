"""What discovery found, and what the looks of the pictures speak for: that images have changed, or have not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkling.discovery import Found
from inkling.discovery.change import ALL_CHANGED, changed, mean_ranks
from inkling.discovery.criteria import MIN_EXCESS
from inkling.images.appearance import appearance_of
from inkling.review.known_images import KnownImages
from inkling.types import FloatArray, IntArray

WORDS = {
    -1: ("darker", "with less contrast", "with less colour", "less sharp"),
    1: ("brighter", "with more contrast", "with more colour", "sharper"),
}
"""For less and for more of each measure of `images.appearance`."""
MOST_LEARNED = 2000
"""Learned images that are measured."""


def unless_changed(found: Found, known: KnownImages, thumbnails: Sequence[bytes | None]) -> Found:
    """What was found, or drift where the images of known classes do not look like those that were learned.

    Pictures are only measured where more images are unknown than chance explains. Where discovery calls that drift, it
    is said how those of no known class look, beside all that were learned.

    Parameters
    ----------
    thumbnails
        Of the images that `found.known_class` is of, (n,).
    """
    if found.drift.found:
        return replace(found, drift=replace(found.drift, looks=_looks(found, known, thumbnails)))
    put = np.flatnonzero(found.known_class >= 0)
    if found.drift.excess < MIN_EXCESS or not len(put):
        return found
    learned, of_class = _learned(known)
    measured = appearance_of([thumbnails[row] for row in put.tolist()])
    words = _words(changed(mean_ranks(learned, of_class, measured, found.known_class[put])))
    if not words:
        return found
    leftover = np.concatenate([found.leftover, *(one.rows for one in found.proposals)])
    return replace(
        found,
        proposals=(),
        leftover=np.sort(leftover),
        drift=replace(found.drift, found=True, change=words),
        number=None,
        leaning=(),
    )


def _looks(found: Found, known: KnownImages, thumbnails: Sequence[bytes | None]) -> tuple[str, ...] | None:
    """How images of no known class look different from all that were learned; None where pictures do not tell."""
    learned, of_class = _learned(known)
    measured = appearance_of([thumbnails[row] for row in found.leftover.tolist()])
    ranks = mean_ranks(learned, np.zeros_like(of_class), measured, np.zeros(len(measured), dtype=np.int64))
    return None if np.isnan(ranks).any() else _words(changed(ranks, least=ALL_CHANGED))


def _learned(known: KnownImages) -> tuple[FloatArray, IntArray]:
    """Measures of learned images, (n, m), evenly from all of them, and their classes, (n,)."""
    rows = np.linspace(0, len(known.of_class) - 1, min(len(known.of_class), MOST_LEARNED)).astype(np.intp)
    return appearance_of([known.thumbnails[row] for row in rows.tolist()]), known.of_class[rows]


def _words(signs: IntArray) -> tuple[str, ...]:
    return tuple(WORDS[int(sign)][at] for at, sign in enumerate(signs) if sign)
