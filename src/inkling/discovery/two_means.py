"""Vectors in two parts by k-means with k = 2. Arrays only."""

from __future__ import annotations

import numpy as np

from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

STEPS = 100


def two_means(X: FloatArray) -> IntArray:
    """Part of each vector, 0 or 1, (n,); all 0 where they are all alike.

    Begins along the direction in which the vectors differ most, so it needs no seed (Su and Dy 2007, "In search of
    deterministic methods for initializing k-means").
    """
    X = unit_rows(np.asarray(X, dtype=np.float64))
    centred = X - X.mean(axis=0)
    values, directions = np.linalg.eigh(centred @ centred.T)
    if values[-1] <= len(X) * np.finfo(np.float32).eps:
        return np.zeros(len(X), dtype=np.int64)
    side = directions[:, -1] > 0
    for _ in range(STEPS):
        centres = X[~side].mean(axis=0), X[side].mean(axis=0)
        distances = [((X - centre) ** 2).sum(axis=1) for centre in centres]
        nearer = distances[1] < distances[0]
        if (nearer == side).all():
            break
        side = nearer
    # The part that the first vector is in comes first, whichever way an eigenvector happens to point.
    return np.asarray(side != side[0], dtype=np.int64)
