"""What discovery found, unless the pictures show that all images have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkling.discovery import Found
from inkling.discovery.change import changed, mean_ranks
from inkling.discovery.criteria import MIN_EXCESS
from inkling.images.appearance import appearance_of
from inkling.review.known_images import KnownImages

WORDS = {
    -1: ("darker", "with less contrast", "with less colour", "less sharp"),
    1: ("brighter", "with more contrast", "with more colour", "sharper"),
}
"""For less and for more of each measure of `images.appearance`."""
MOST_LEARNED = 2000
"""Learned images that are measured."""


def unless_changed(found: Found, known: KnownImages, thumbnails: Sequence[bytes | None]) -> Found:
    """What was found, or drift where the images of known classes do not look like those that were learned.

    Pictures are only measured where more images are unknown than chance explains.

    Parameters
    ----------
    thumbnails
        Of the images that `found.known_class` is of, (n,).
    """
    put = np.flatnonzero(found.known_class >= 0)
    if found.drift.found or found.drift.excess < MIN_EXCESS or not len(put):
        return found
    learned = np.linspace(0, len(known.of_class) - 1, min(len(known.of_class), MOST_LEARNED)).astype(np.intp)
    ranks = mean_ranks(
        appearance_of([known.thumbnails[row] for row in learned.tolist()]),
        known.of_class[learned],
        appearance_of([thumbnails[row] for row in put.tolist()]),
        found.known_class[put],
    )
    words = tuple(WORDS[int(sign)][at] for at, sign in enumerate(changed(ranks)) if sign)
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
