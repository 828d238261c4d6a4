"""The space in which clusters are weighed: whitened by the known classes, with the variances of a class to be found.

Two-covariance PLDA (Brümmer and de Villiers 2010), both covariances isotropic after whitening: class centres vary by b
in each direction, images about their centre by w. Both come from classes that the whitening did not see, since a class
that is yet to be found is not seen either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.errors import InputError
from inkling.heads.one_source import BY_CHANCE, COMPARED, TIMES_CHANCE
from inkling.heads.scatter import class_means
from inkling.heads.support import Support, unit_rows
from inkling.heads.whitening import Whitening, whitening
from inkling.types import BoolArray, FloatArray, IntArray

SHRINKAGE = 0.75
"""Of the within-class covariance towards a multiple of the identity; best on validation images of three data sets."""
FOLDS = 5
"""Parts of the classes, each held out once to estimate w and b."""
LEAST_VARIANCE = 1e-9
ALIKE = 0.8
"""How alike images of one source are at least. No pair as alike in validation images of four sets is of two classes."""


@dataclass(frozen=True, eq=False)
class Space:
    """The known classes as discovery sees them.

    Attributes
    ----------
    whiten
        Map to unit vectors in the whitened space.
    within, between
        w and b: variances per dimension of images about their class centre, and of class centres.
    centres
        Means of the whitened images of each known class, (n_classes, d).
    counts
        Images of each known class, (n_classes,).
    chance
        How alike two images of different classes are at most, next to always, in terms of `one_source`.
    """

    whiten: Whitening
    within: float
    between: float
    centres: FloatArray
    counts: IntArray
    chance: float

    @classmethod
    def of(cls, X: FloatArray, y: IntArray) -> Space:
        """Learn the space from the known classes' images X (n, d) and their class indices y (n,).

        Raises
        ------
        InputError
            If there are fewer than two classes, a class without an image, or no class with two images.
        """
        X = unit_rows(np.asarray(X, dtype=np.float64))
        y = np.asarray(y, dtype=np.intp)
        _check_known(X, y)
        whiten = _whitening(X, y)
        centres = class_means(whiten(X), y, int(y.max()) + 1)
        unseen, fold = _whitened_unseen(X, y)
        within, between = _variances_of_new_classes(unseen, y)
        chance = _likeness_by_chance(unseen, y, fold, scale=2.0 * within * X.shape[1])
        return cls(whiten, within, between, centres, np.bincount(y), chance)

    def __call__(self, X: FloatArray) -> FloatArray:
        """Unit vectors (n, d) of images X (n, d) in this space."""
        return self.whiten(unit_rows(np.asarray(X, dtype=np.float64)))

    @property
    def n_classes(self) -> int:
        """Number of known classes."""
        return len(self.counts)

    @property
    def typical_cohesion(self) -> float:
        """Expected cosine between two images of one class, b / (b + w)."""
        return self.between / (self.between + self.within)

    @property
    def one_source(self) -> float:
        """Cosine from which two images are of one source, such as frames of a burst; above 1 where none can tell.

        Images are alike by 1 - |difference|^2 / (2 d w): about 0 for two of one class, 1 for copies. How much is much
        is also measured: no image is of one source with one of another class.
        """
        least = max(ALIKE, TIMES_CHANCE * self.chance)
        return float(1.0 - (1.0 - least) * self.within * self.centres.shape[1])


def _whitening(X: FloatArray, y: IntArray) -> Whitening:
    return whitening(Support(X, y, len(X), int(y.max()) + 1, None), shrinkage=SHRINKAGE)


def _whitened_unseen(X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
    """Images (n, d) in spaces made from the classes of other folds, and the fold of each, (n,)."""
    Z = np.empty_like(X)
    # Neighbours in the order of classes are often related; taking every fifth class spreads them over the folds.
    fold = y % min(FOLDS, int(y.max()) + 1)
    for held_out in np.unique(fold):
        Z[fold == held_out] = _whiten_unseen(X, y, fold == held_out)
    return Z, fold


def _variances_of_new_classes(Z: FloatArray, y: IntArray) -> tuple[float, float]:
    """w and b per dimension, of images each whitened by other classes."""
    counts = np.bincount(y)
    means = class_means(Z, y, len(counts))
    d = Z.shape[1]
    within = max(float(((Z - means[y]) ** 2).sum()) / (len(y) - len(counts)) / d, LEAST_VARIANCE)
    spread = float(((means - means.mean(axis=0)) ** 2).sum()) / (len(counts) - 1) / d
    return within, max(spread - within * float(np.mean(1.0 / counts)), LEAST_VARIANCE)


def _likeness_by_chance(Z: FloatArray, y: IntArray, fold: IntArray, *, scale: float) -> float:
    """How alike an image is to the nearest one of another class, for all but one in a hundred images."""
    nearest = []
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        rows = rows[:: len(rows) // COMPARED + 1]
        alike = 1.0 - (2.0 - 2.0 * Z[rows] @ Z[rows].T) / scale
        nearest.append(np.where(y[rows, None] == y[rows], 0.0, alike).max(axis=1))
    return max(float(np.quantile(np.concatenate(nearest), BY_CHANCE)), 0.0)


def _whiten_unseen(X: FloatArray, y: IntArray, held_out: BoolArray) -> FloatArray:
    """Images held out, in a space made from the others."""
    classes, seen = np.unique(y[~held_out], return_inverse=True)
    if len(seen) == len(classes):
        return unit_rows(X[held_out] - X[~held_out].mean(axis=0))
    return _whitening(X[~held_out], seen)(X[held_out])


def _check_known(X: FloatArray, y: IntArray) -> None:
    if X.ndim != 2 or len(X) != len(y):
        raise InputError(f"Known images must be (n, d) with one class each, got {X.shape} and {len(y)} classes.")
    counts = np.bincount(y) if len(y) and y.min() >= 0 else np.zeros(1)
    if len(counts) < 2 or counts.min() == 0:
        raise InputError(
            "Discovery needs at least two known classes, numbered from 0 without a gap, each with an image.",
            remedy="Add another class, or leave out classes that have no image.",
        )
    if counts.max() < 2:
        raise InputError(
            "Every known class has one image, so nothing tells how much images of a class differ.",
            remedy="Give at least one class a second image.",
        )
