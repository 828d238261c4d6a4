"""Whether images look different from those that the known classes were learned from: darker, blurred, without colour.

Such a change makes groups that look like new classes. It is measured on the images that are put to a known class, each
against the learned images of that class: where it ranks among them by brightness and the like. Without a change ranks
are .5 on average, however the classes differ from each other.
"""

from __future__ import annotations

import numpy as np

from inkling.types import FloatArray, IntArray

CHANGED = 0.3
"""How far the mean rank lies from .5 where images have changed. Test crops of vehicles reach .04; darkened to a half,
blurred by 1/120 of their width, greyed or paled, .39 and more."""
ALL_CHANGED = 0.37
"""The same where images are of no known class and rank among all learned images: kinds differ as well. Of folders of
one class of Caltech-101 that was left out one in twenty reaches .35, no folder of three classes or of one garment .31;
pictures darkened to a half, blurred by 1/120 of their width or greyed reach .378 (`bench/change_choice.py`)."""
LEAST_IMAGES = 20
LEAST_LEARNED = 5
"""Images of a class that ranks are taken among."""


def mean_ranks(known: FloatArray, known_y: IntArray, measured: FloatArray, y: IntArray) -> FloatArray:
    """Mean rank of images among those of their class, for each measure, (m,), 0 to 1; NaN where too few tell.

    Parameters
    ----------
    known, known_y
        Measures of the learned images, (n, m), and their classes, (n,).
    measured, y
        Of the images that were put to known classes, (k, m) and (k,).
    """
    known_y, known = known_y[np.isfinite(known).all(axis=1)], known[np.isfinite(known).all(axis=1)]
    y, measured = y[np.isfinite(measured).all(axis=1)], measured[np.isfinite(measured).all(axis=1)]
    ranks = [np.zeros((0, measured.shape[1]))]
    for k in np.unique(y):
        learned = known[known_y == k]
        if len(learned) >= LEAST_LEARNED:
            below, equal = (compare(measured[y == k][:, None], learned) for compare in (np.greater, np.equal))
            ranks.append((below + 0.5 * equal).mean(axis=1))
    every = np.concatenate(ranks)
    return np.asarray(every.mean(axis=0)) if len(every) >= LEAST_IMAGES else np.full(measured.shape[1], np.nan)


def changed(ranks: FloatArray, *, least: float = CHANGED) -> IntArray:
    """For each measure 1 where images have clearly more of it than the learned ones, -1 where less, else 0, (m,).

    Parameters
    ----------
    ranks
        As `mean_ranks` gives them, (m,).
    least
        How far they lie from .5 where it is clear.
    """
    away = np.nan_to_num(ranks - 0.5)
    return np.asarray(np.sign(away) * (np.abs(away) >= least)).astype(np.int64)
