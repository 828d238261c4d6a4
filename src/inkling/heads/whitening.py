"""Whitening by the within-class covariance: directions in which images of one class differ count less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.checks import check_option
from inkling.heads.scatter import Projection
from inkling.heads.support import Support, unit_rows
from inkling.types import FloatArray

MIN_VARIANCE = 1e-6
"""Where images of a class are copies of each other there is no scatter; unit vectors leave no less than this."""


@dataclass(frozen=True)
class Whitening:
    """Map x to unit S^(-1/2) (x - mean), with S the shrunk within-class covariance.

    Attributes
    ----------
    mean
        Mean of the class means, (d,).
    directions
        (d, r).
    gains
        Factor along each direction less the base factor, (r,). The base factor, that of all other directions, is 1.
    """

    mean: FloatArray
    directions: FloatArray
    gains: FloatArray

    def __call__(self, X: FloatArray) -> FloatArray:
        return unit_rows(self.linear(X))

    def project(self, X: FloatArray) -> Projection:
        """Rows (n, d) seen from the mean."""
        return Projection.of(X, self.mean, self.directions)

    def lengths(self, rows: Projection) -> FloatArray:
        """Lengths (n, 1) of rows after the map; 1 for rows that it leaves nothing of."""
        squared = rows.squares + rows.squares_along @ (self.gains * (2.0 + self.gains))
        return np.sqrt(np.where(squared > 0, squared, 1.0))[:, None]

    def folded(self, targets: FloatArray) -> FloatArray:
        """Matrix (d, m) that takes centred rows to their products with `targets` (m, d) after the map.

        So a whitened row is never worked out: one product of d x m numbers a row, not two of d x r and one of d x m.
        """
        return cast(FloatArray, targets.T + self.directions @ (self.gains[:, None] * (self.directions.T @ targets.T)))

    def linear(self, X: FloatArray) -> FloatArray:
        """The map before rows are brought to unit length."""
        return self.mapped(self.project(X))

    def mapped(self, rows: Projection) -> FloatArray:
        """The same of rows (n, d) whose coordinates are known."""
        return cast(FloatArray, rows.centred + (rows.along * self.gains.astype(rows.along.dtype)) @ self.directions.T)

    def mapped_along(self, rows: Projection) -> FloatArray:
        """The same in coordinates along the directions, (n, r), for which no row is worked out."""
        return rows.along * (1.0 + self.gains).astype(rows.along.dtype)


def whitening(support: Support, *, shrinkage: float) -> Whitening:
    """Whiten by S = (1 - l) S_w + l tr(S_w)/d I, with l the shrinkage in (0, 1]; 1 only centres."""
    check_option(0 < shrinkage <= 1, "shrinkage", shrinkage, "above 0 and at most 1")
    scatter = support.scatter
    d = support.n_dims
    floor = shrinkage * scatter.trace / d
    variances = (1.0 - shrinkage) * scatter.eigenvalues + floor
    gains = np.sqrt(floor / variances) - 1.0
    return Whitening(support.means.mean(axis=0), scatter.directions, gains)


def noise_variance(support: Support, *, shrinkage: float) -> float:
    """Variance of images about their class mean along any direction of the linear map, for a shrinkage below 1."""
    spread = support.scatter.trace / (support.n_dims * max(support.degrees, 1))
    return max(shrinkage / (1.0 - shrinkage) * spread, MIN_VARIANCE)
