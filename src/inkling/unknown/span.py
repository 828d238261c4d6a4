"""With few images of many dimensions, the few coordinates that matter.

Whatever is learned of n images lies in their span, and of an image's part beyond it only the length is ever asked for.
So n + 1 coordinates keep all inner products with what is known, and nothing of size n_dims is worked with again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Now and not in the midst of work: compiled modules swallow a Ctrl-C that comes while they are imported.
from numpy.random import default_rng

from inkling.heads.products import product
from inkling.types import FloatArray

NEGLIGIBLE = 1e-5
"""Share of a sum of squares that is rounding: of the largest for a direction, of an image's own for its rest."""


@dataclass(frozen=True, eq=False)
class Span:
    """Coordinates in the span of the known images, and as the last one the length beyond it.

    Attributes
    ----------
    basis
        Orthonormal directions (n_dims, r); none (n_dims, 0) where coordinates would be no fewer than dimensions.
    """

    basis: FloatArray

    @classmethod
    def of(cls, X: FloatArray) -> Span:
        """Span of vectors X (n, n_dims)."""
        n, n_dims = X.shape
        if n + 1 >= n_dims:
            return cls(np.zeros((n_dims, 0), dtype=np.float32))
        squares, vectors = np.linalg.eigh((X @ X.T).astype(np.float64))
        kept = squares > NEGLIGIBLE * squares[-1]
        turned = vectors[:, kept] / np.sqrt(squares[kept]) @ _turn(int(kept.sum()))
        return cls((X.T @ turned).astype(np.float32))

    def back(self, coordinates: FloatArray) -> FloatArray:
        """Vectors (n, n_dims) of coordinates, without what lies beyond the span."""
        return product(coordinates[:, :-1], self.basis.T) if self.basis.shape[1] else coordinates

    def __call__(self, X: FloatArray) -> FloatArray:
        """Coordinates (n, r + 1) of vectors X (n, n_dims)."""
        if not self.basis.shape[1]:
            return X
        within = product(X, self.basis)
        squared = (X**2).sum(axis=1)
        beyond = squared - (within**2).sum(axis=1)
        return np.column_stack([within, np.sqrt(np.where(beyond > NEGLIGIBLE * squared, beyond, 0.0))])


def _turn(r: int) -> FloatArray:
    """A rotation (r, r), always the same, after which no coordinate is special: dropout treats all alike."""
    return np.linalg.qr(default_rng(0).normal(size=(r, r)))[0]
