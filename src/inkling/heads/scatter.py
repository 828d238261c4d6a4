"""Within-class scatter, kept as its few directions: with n < d it costs O(n^2 d), and nothing of size d x d is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.types import FloatArray, IntArray


@dataclass(frozen=True)
class Scatter:
    """Scatter R'R = U diag(e) U' of residuals R about the class means.

    Attributes
    ----------
    directions
        Eigenvectors U, (d, r).
    eigenvalues
        e, (r,), positive.
    """

    directions: FloatArray
    eigenvalues: FloatArray

    @property
    def trace(self) -> float:
        """tr(R'R)."""
        return float(self.eigenvalues.sum())


def class_means(X: FloatArray, y: IntArray, n_classes: int) -> FloatArray:
    """Mean of each class, (n_classes, d); NaN for a class without examples."""
    from scipy.sparse import csr_array

    members = csr_array((np.ones(len(y)), (y, np.arange(len(y)))), shape=(n_classes, len(y)))
    counts = np.bincount(y, minlength=n_classes).astype(np.float64)
    counts[counts == 0] = np.nan
    return np.asarray((members @ X) / counts[:, None])


def within_class_scatter(X: FloatArray, y: IntArray, means: FloatArray) -> Scatter:
    """Scatter of the examples about their class means.

    One example a class leaves no residual; then the scatter of the class means about their mean stands in.
    """
    single = len(y) == len(np.unique(y))
    R = means - means.mean(axis=0) if single else X - means[y].astype(X.dtype)
    n, d = R.shape
    wide = n < d
    found = principal((R @ R.T if wide else R.T @ R).astype(np.float64), noise=max(n, d) * float(np.finfo(R.dtype).eps))
    return Scatter(R.T @ found.directions / np.sqrt(found.eigenvalues), found.eigenvalues) if wide else found


def principal(matrix: FloatArray, *, noise: float) -> Scatter:
    """Eigenvectors of a symmetric matrix whose eigenvalues stand out from rounding, `noise` times the largest."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > noise * max(values[-1], np.finfo(np.float64).tiny)
    return Scatter(vectors[:, kept], values[kept])
