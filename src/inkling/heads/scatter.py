"""Within-class scatter, kept as its few directions: with n < d it costs O(n^2 d), and nothing of size d x d is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from inkling.heads.products import product
from inkling.types import FloatArray, IntArray


@dataclass(frozen=True)
class Scatter:
    """Scatter R'R = U diag(e) U' of residuals R about the class means.

    Attributes
    ----------
    directions
        Eigenvectors U, (d, r), as precise as the examples.
    eigenvalues
        e, (r,), positive.
    """

    directions: FloatArray
    eigenvalues: FloatArray

    @property
    def trace(self) -> float:
        """tr(R'R)."""
        return float(self.eigenvalues.sum())


@dataclass(frozen=True, eq=False)
class Projection:
    """Rows less the mean, and their coordinates along the directions: all that whitenings of one scatter differ in.

    Attributes
    ----------
    centred
        (n, d).
    along
        (n, r).
    """

    centred: FloatArray
    along: FloatArray

    @classmethod
    def of(cls, X: FloatArray, mean: FloatArray, directions: FloatArray) -> Projection:
        """Of rows X (n, d)."""
        centred = X - mean
        return cls(centred, product(centred, directions))

    def only(self, rows: IntArray) -> Projection:
        """Some of the rows."""
        return Projection(self.centred[rows], self.along[rows])

    @cached_property
    def squares(self) -> FloatArray:
        """Squared length of each row, (n,)."""
        return cast(FloatArray, np.einsum("nd,nd->n", self.centred, self.centred))

    @cached_property
    def squares_along(self) -> FloatArray:
        """Squared coordinates along the directions, (n, r)."""
        return self.along**2


def class_means(X: FloatArray, y: IntArray, n_classes: int) -> FloatArray:
    """Mean of each class, (n_classes, d); NaN for a class without examples."""
    order = np.argsort(y, kind="stable")
    counts = np.bincount(y, minlength=n_classes)
    means = np.full((n_classes, X.shape[1]), np.nan)
    for k, end in enumerate(np.cumsum(counts)):
        if counts[k]:
            # What `mean` does, which spends more on its options than on the few rows of a class.
            means[k] = np.add.reduce(X[order[end - counts[k] : end]], axis=0, dtype=np.float64) / counts[k]
    return means


def within_class_scatter(X: FloatArray, y: IntArray, means: FloatArray) -> Scatter:
    """Scatter of the examples about their class means.

    One example a class leaves no residual; then the scatter of the class means about their mean stands in.
    """
    single = len(y) == len(np.unique(y))
    R = means - means.mean(axis=0) if single else X - means[y].astype(X.dtype)
    return scatter_of(R)


def scatter_of(R: FloatArray) -> Scatter:
    """Scatter R'R of residuals R (n, d)."""
    n, d = R.shape
    wide = n < d
    found = principal((R @ R.T if wide else R.T @ R).astype(np.float64), noise=max(n, d) * float(np.finfo(R.dtype).eps))
    directions = R.T @ found.directions / np.sqrt(found.eigenvalues) if wide else found.directions
    return Scatter(directions.astype(R.dtype, order="C", copy=False), found.eigenvalues)


def principal(matrix: FloatArray, *, noise: float) -> Scatter:
    """Eigenvectors of a symmetric matrix whose eigenvalues stand out from rounding, `noise` times the largest."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > noise * max(values[-1], np.finfo(np.float64).tiny)
    return Scatter(vectors[:, kept], values[kept])
