"""A plain detector for benchmarks of discovery: whitened cosine to the nearest class mean, cross-fitted p-values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inkling.heads.scatter import class_means
from inkling.heads.support import Support, unit_rows
from inkling.heads.whitening import whitening
from inkling.types import FloatArray, IntArray

SHRINKAGE = 0.5
FOLDS = 5
SEED = 0


def known_scores(X: FloatArray, y: IntArray) -> Callable[[FloatArray], FloatArray]:
    """From images (n, d) to their cosine to each class mean, (n, n_classes)."""
    n_classes = int(y.max()) + 1
    white = whitening(Support(X, y, len(X), n_classes, None), shrinkage=SHRINKAGE)
    means = unit_rows(class_means(white(X), y, n_classes))
    return lambda images: white(images) @ means.T


def conformal_p(X: FloatArray, y: IntArray, images: FloatArray) -> FloatArray:
    """p-value (n,) of "of a known class" for images (n, d), calibrated on known images that no fit saw."""
    fold = np.empty(len(y), dtype=np.intp)
    rng = np.random.default_rng(SEED)
    for k in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == k))
        fold[rows] = np.arange(len(rows)) % FOLDS
    calibration = np.empty(len(y))
    for out in range(FOLDS):
        calibration[fold == out] = known_scores(X[fold != out], y[fold != out])(X[fold == out]).max(axis=1)
    scores = known_scores(X, y)(images).max(axis=1)
    return (1.0 + np.searchsorted(np.sort(calibration), scores, side="right")) / (len(y) + 1.0)
