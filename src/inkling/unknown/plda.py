"""PLDA: is an image likelier to be of a known class, or of a class that was never seen?

Two-covariance model of Brümmer and de Villiers (2010): class centres are drawn from N(mean, B), images of a class from
N(centre, W). It weighs how far known classes lie apart, and how well each centre is known from its few images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from inkling.types import FloatArray, IntArray
from inkling.unknown.gaussians import ClassGaussians, Whitener, principal_axes

SHRINKAGE = 0.8
"""Of W towards a multiple of the identity; best on validation images over three data sets and left-out classes."""
PRIOR_CLASSES = 5
"""How many classes' worth of say an isotropic B has beside the B of the known classes.

The centres of K classes span K - 1 directions; without it an unknown image in any other direction would go unnoticed.
"""


@dataclass(frozen=True, eq=False)
class PLDA:
    """Log-likelihood ratio of "a new class" against the best known class, in a space where W is the identity.

    A class with n images and whitened mean m has the predictive N(v n m, v + 1), v = 1 / (1/b + n), along an axis where
    centres vary by b; a new class has N(0, b + 1).

    Attributes
    ----------
    whiten
        Map to that space.
    axes
        Axes along which the class centres differ, (n_dims, r).
    variances
        b of each axis, (r,).
    other_variance
        b of all directions beside the axes.
    centres
        Whitened class means along the axes, (n_classes, r).
    counts
        Images of each class, (n_classes,).
    n_dims
        Dimensions of the space.
    """

    whiten: Whitener
    axes: FloatArray
    variances: FloatArray
    other_variance: float
    centres: FloatArray
    counts: IntArray
    n_dims: int

    @classmethod
    def of(cls, classes: ClassGaussians) -> PLDA:
        """Model of the known classes."""
        whiten = classes.whitener(shrinkage=SHRINKAGE)
        centres = whiten(classes.means).astype(np.float64)
        axes, squares = principal_axes(centres)
        n_classes, n_dims = len(centres), classes.n_dims
        # A mean of n images is itself off by 1/n; what is beyond that is how the centres vary.
        between = np.maximum(squares / max(n_classes - 1, 1) - np.mean(1.0 / classes.counts), 0.0)
        share = PRIOR_CLASSES / (PRIOR_CLASSES + n_classes - 1)
        even = max(share * float(between.sum()) / n_dims, float(np.finfo(np.float32).eps))
        return cls(whiten, axes, (1.0 - share) * between + even, even, centres @ axes, classes.counts, n_dims)

    def __call__(self, X: FloatArray) -> FloatArray:
        """log p(x | a new class) - max_k log p(x | class k), (n,)."""
        white = self.whiten(X)
        x = white @ self.axes
        off_axes = np.maximum((white**2).sum(axis=1) - (x**2).sum(axis=1), 0.0)
        return cast(FloatArray, self._new_class(x, off_axes) - self._known_classes(x, off_axes).max(axis=1))

    def new_class(self, white: FloatArray) -> FloatArray:
        """Log-likelihood of a class that was never seen, but for a constant, (n,), of whitened images."""
        x = white @ self.axes
        return self._new_class(x, np.maximum((white**2).sum(axis=1) - (x**2).sum(axis=1), 0.0))

    @cached_property
    def _predictive(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """1/(v + 1) by number of images (n_counts, r), v n m / (v + 1) of each class, and what x has no part in."""
        first, like = self._by_count
        counts = self.counts[first][:, None]
        spread = 1.0 + 1.0 / (1.0 / self.variances + counts)
        expected = ((spread - 1.0) * counts)[like] * self.centres
        pull = expected / spread[like]
        return 1.0 / spread, pull, (expected * pull).sum(axis=1) + np.log(spread).sum(axis=1)[like]

    @cached_property
    def _by_count(self) -> tuple[IntArray, IntArray]:
        """A class of each number of images, and which of them each class is like: their precisions are the same."""
        _, first, like = np.unique(self.counts, return_index=True, return_inverse=True)
        return first, like

    @property
    def _n_off_axes(self) -> int:
        return self.n_dims - len(self.variances)

    def _known_classes(self, x: FloatArray, off_axes: FloatArray) -> FloatArray:
        """Log-likelihood under each class but for a constant, (n, n_classes)."""
        precision, pull, constant = self._predictive
        misfit = (x**2 @ precision.T)[:, self._by_count[1]] - 2.0 * x @ pull.T + constant
        other = 1.0 + 1.0 / (1.0 / self.other_variance + self.counts)
        return cast(FloatArray, -0.5 * (misfit + off_axes[:, None] / other + self._n_off_axes * np.log(other)))

    def _new_class(self, x: FloatArray, off_axes: FloatArray) -> FloatArray:
        """Log-likelihood of a class that was never seen, but for the same constant, (n,)."""
        spread, other = 1.0 + self.variances, 1.0 + self.other_variance
        misfit = (x**2 / spread + np.log(spread)).sum(axis=1) + off_axes / other + self._n_off_axes * np.log(other)
        return cast(FloatArray, -0.5 * misfit)
