"""Images that are as far from their class as images of other classes are. Arrays only.

Vectors are whitened by the covariance within classes that others have. How near an image is to a class is the mean
cosine to its nearest images of it, again among others. An outlier is far from its class by three measures: relative to
how near images are to their classes in general, relative to how near those of its own class are, and no nearer than
next to all images are to a class that they are not of. Nor is it nearly as near to any other class as images are to
theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.auditing.narrowed import along_leading
from inkling.heads.evidence import grouped_folds
from inkling.heads.support import Support
from inkling.heads.whitening import Whitening, whitening
from inkling.types import BoolArray, FloatArray, IntArray

NEAREST = 5
"""Images of a class that nearness is the mean of."""
LEAST = 4
"""Images of a class from which on one of them can be an outlier."""
FAR = 2.5
"""Robust standard deviations below the median from which an image is far from its class. Chosen, with `FOREIGN` and
`FITS`, on CLIP's vectors of the training images of Caltech-100, Flowers and Pets: docs/decisions/audit.md."""
FOREIGN = 0.98
"""Share of images whose nearness to a class that they are not of is what an outlier stays below."""
FITS = 1.0
"""Robust standard deviations below the median to which another class fits."""
DIRECTIONS = 96
"""Directions of the greatest variance that vectors are looked at along: in the others images of a class are as unlike
each other as they are unlike foreign ones, which hides outliers, the more the wider the vectors."""
SHRINKAGE = 0.5
FOLDS = 5
"""Parts of which each is looked at by a whitening that did not see it: one that did takes outliers for spread."""
POOLED = 10.0
"""Images that the spread of all classes counts for beside that of one."""
COMPARED = 1_000
COMPARED_WITH = 2_000
"""Images whose nearness to other classes is measured, and images of a class that it is measured by."""
_ROWS = 1_024


@dataclass(frozen=True, eq=False)
class Outliers:
    """How near images are to their classes.

    Attributes
    ----------
    rows
        Outliers, (m,).
    near
        Nearness of each image to its own class, (n,); NaN where the class has too few.
    typical
        Median of that.
    foreign
        Nearness of images to classes that they are not of, sorted, (q,).
    """

    rows: IntArray
    near: FloatArray
    typical: float
    foreign: FloatArray

    def score(self, row: int) -> float:
        """1 for an image that is as far from its class as any is from a foreign one, .5 for the nearest of them."""
        return float(1.0 - 0.5 * np.searchsorted(self.foreign, self.near[row]) / len(self.foreign))


def outliers(X: FloatArray, y: IntArray, *, seed: int = 0) -> Outliers:
    """Outliers among vectors X (n, d) of different pictures.

    Parameters
    ----------
    y
        Class of each, (n,); at least two classes have images.
    seed
        Draws the folds, and the images that others are compared with where there are many.
    """
    if X.shape[1] > DIRECTIONS and len(X) >= 2 * DIRECTIONS:
        X = along_leading(X.astype(np.float32), DIRECTIONS)
    y = np.unique(y, return_inverse=True)[1]
    fold, n_classes = grouped_folds(y, np.arange(len(y)), n_folds=FOLDS, seed=seed), int(y.max()) + 1
    maps = [whitening(_support(X, y, fold != held), shrinkage=SHRINKAGE) for held in range(FOLDS)]
    is_own = np.arange(n_classes) == y[:, None]
    compared = np.isin(np.arange(len(y)), np.random.default_rng(seed).permutation(len(y))[:COMPARED])
    measured = _nearness(X, y, fold, maps, is_own | compared[:, None])
    near = np.where(np.bincount(y)[y] >= LEAST, measured[is_own], np.nan)
    foreign = measured[compared[:, None] & ~is_own & ~np.isnan(measured)]
    typical, spread = _robust(near)
    far = (near < typical - FAR * spread) & (_within_class(near, y) < -FAR) & (near < np.quantile(foreign, FOREIGN))
    other = _nearness(X, y, fold, maps, far[:, None] & ~is_own)
    fits = (other >= typical - FITS * spread).any(axis=1)
    return Outliers(np.flatnonzero(far & ~fits), near, typical, np.sort(foreign))


def _support(X: FloatArray, y: IntArray, known: BoolArray) -> Support:
    """Those known; a class that has none of them is no class of them, as it has no mean."""
    of_known = np.unique(y[known], return_inverse=True)[1]
    return Support(X[known], of_known, int(known.sum()), int(of_known.max()) + 1, None)


def _nearness(X: FloatArray, y: IntArray, fold: IntArray, maps: list[Whitening], wanted: BoolArray) -> FloatArray:
    """Nearness of images to the classes wanted (n, n_classes), by images of other folds; NaN elsewhere."""
    near = np.full(wanted.shape, np.nan, dtype=np.float32)
    for held, whitened in enumerate(maps):
        if not wanted[fold == held].any():
            continue
        Z = whitened(X).astype(np.float32)
        for k in range(wanted.shape[1]):
            some = _evenly(np.flatnonzero((fold != held) & (y == k)))
            rows = np.flatnonzero((fold == held) & wanted[:, k])
            for part in np.split(rows, range(_ROWS, len(rows), _ROWS)) if len(some) else ():
                near[part, k] = _mean_of_largest(Z[part] @ Z[some].T, min(NEAREST, len(some)))
    return near


def _evenly(rows: IntArray) -> IntArray:
    """At most `COMPARED_WITH` of them."""
    return rows[:: -(-len(rows) // COMPARED_WITH) or 1]


def _mean_of_largest(cosines: FloatArray, most: int) -> FloatArray:
    return np.asarray(-np.partition(-cosines, most - 1, axis=1)[:, :most].mean(axis=1))


def _within_class(near: FloatArray, y: IntArray) -> FloatArray:
    """Robust standard deviations from the median of its class, (n,)."""
    known = np.isfinite(near)
    counts = np.bincount(y[known], minlength=int(y.max()) + 1)
    middle, spread = np.zeros(len(counts)), np.zeros(len(counts))
    for k in np.flatnonzero(counts):
        middle[k], spread[k] = _robust(near[y == k])
    pooled = _robust(near - middle[y])[1]
    joint = np.sqrt((counts * spread**2 + POOLED * pooled**2) / (counts + POOLED))
    return np.asarray((near - middle[y]) / np.maximum(joint, 1e-12)[y])


def _robust(values: FloatArray) -> tuple[float, float]:
    """Median, and the standard deviation of a Gaussian with the same median absolute deviation."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 0.0
    middle = float(np.median(known))
    return middle, 1.4826 * float(np.median(np.abs(known - middle)))
