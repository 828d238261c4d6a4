"""The known classes as Gaussians with one covariance: what every distance and likelihood here is worked out from.

Only sufficient statistics are kept, so what a memory stores does not grow with the number of images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.products import product
from inkling.heads.support import Support
from inkling.types import FloatArray, IntArray

NEGLIGIBLE = 1e-9
"""Share of the largest sum of squares below which an axis is rounding."""


@dataclass(frozen=True, eq=False)
class Whitener:
    """Map x to S^(-1/2) (x - mean): the images of one class get unit covariance.

    Attributes
    ----------
    mean
        Mean of the class means, (n_dims,).
    directions
        Directions along which images of one class differ, (n_dims, r).
    gains
        Factor along each direction, less 1 and over `scale`, (r,).
    scale
        Factor along all other directions.
    """

    mean: FloatArray
    directions: FloatArray
    gains: FloatArray
    scale: float

    def __call__(self, X: FloatArray) -> FloatArray:
        centred = X - self.mean
        along = product(product(centred, self.directions) * self.gains, self.directions.T)
        return cast(FloatArray, self.scale * (centred + along))


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """Class means, and the scatter within classes as its few directions.

    Attributes
    ----------
    means
        (n_classes, n_dims).
    counts
        Images that each mean is of, (n_classes,).
    directions
        Eigenvectors of the scatter, (n_dims, r).
    eigenvalues
        (r,), positive.
    degrees
        Degrees of freedom of the scatter.
    n_dims
        Dimensions that the scatter is spread over, however few coordinates tell of it.
    """

    means: FloatArray
    counts: IntArray
    directions: FloatArray
    eigenvalues: FloatArray
    degrees: int
    n_dims: int

    @classmethod
    def of(cls, support: Support, *, n_dims: int) -> ClassGaussians:
        """Statistics of a support set, whose vectors may be given by fewer coordinates than `n_dims`.

        Where no class has two images, the scatter of the class means stands in for that within classes.
        """
        scatter = support.scatter
        n_seen = len(np.unique(support.y[: support.n_real]))
        degrees = support.n_real - n_seen or n_seen - 1
        return cls(
            support.means.astype(np.float32),
            support.counts,
            scatter.directions.astype(np.float32),
            scatter.eigenvalues,
            max(degrees, 1),
            n_dims,
        )

    def whitener(self, *, shrinkage: float) -> Whitener:
        """Whiten by S = (1 - l) S_w + l tr(S_w)/d I with l the shrinkage in (0, 1]."""
        variances = self.eigenvalues / self.degrees
        floor = max(shrinkage * float(variances.sum()) / self.n_dims, float(np.finfo(np.float32).tiny))
        gains = np.sqrt(floor / ((1.0 - shrinkage) * variances + floor)) - 1.0
        return Whitener(self.means.mean(axis=0), self.directions, gains.astype(np.float32), 1.0 / floor**0.5)


def squared_distances(A: FloatArray, B: FloatArray) -> FloatArray:
    """|a - b|^2 for every row of A with every row of B, (len(A), len(B))."""
    across = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2.0 * A @ B.T
    return cast(FloatArray, np.maximum(across, 0.0))


def principal_axes(M: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orthonormal axes (d, r) that span the rows of M (n, d), and the sum of squares along each (r,).

    From the smaller of the two Gram matrices: several times as fast as a singular value decomposition.
    """
    M = M.astype(np.float64)
    wide = len(M) < M.shape[1]
    squares, vectors = np.linalg.eigh(M @ M.T if wide else M.T @ M)
    kept = squares > NEGLIGIBLE * max(squares[-1], np.finfo(np.float64).tiny)
    squares, vectors = squares[kept], vectors[:, kept]
    return (M.T @ vectors / np.sqrt(squares) if wide else vectors), squares
