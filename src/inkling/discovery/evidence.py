"""How much the images of two clusters speak for a common centre.

A cluster of n images with mean m is weighed by the marginal likelihood of PLDA, less that of n images each of which is
its own noise: L(n, m) = d/2 [-log(1 + n b/w) + n^2 b |m|^2 / (d w (w + n b))]. What images of the cluster do not share
cancels in L(A + B) - L(A) - L(B), the log Bayes factor of one cluster against two. Beside it stands the prior of the
Chinese restaurant, which lets large clusters grow: for two tables with a and b guests it is (a+b-1)! / ((a-1)! (b-1)!).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.discovery.space import Space
from inkling.types import FloatArray

CORRELATION = 0.02
"""How far images of a cluster repeat each other. A class is no ball: it has poses and kinds, so that a hundred images
are not a hundred independent witnesses of one centre. Without it large classes fall apart; chosen on validation images.
"""
EVIDENCE_SHARE = 0.3
"""What a log Bayes factor counts beside the prior: its directions depend on each other, and the model takes them for
independent. Chosen on validation images; without a prior any share would be the same.
"""


def witnesses(counts: FloatArray) -> FloatArray:
    """Independent images that n correlated ones are worth, n / (1 + r (n - 1)); never above 1 / r."""
    return np.asarray(counts / (1.0 + CORRELATION * (counts - 1.0)))


def log_evidence(space: Space, weights: FloatArray, squares: FloatArray) -> FloatArray:
    """L of clusters worth `weights` images, with squared length `squares` of the weighted sum of their images."""
    within, between, d = space.within, space.between, space.centres.shape[1]
    fit = between * squares / (within * (within + weights * between))
    return np.asarray(0.5 * (fit - d * np.log1p(weights * between / within)))


def share_of(prior: bool) -> float:
    """What a log Bayes factor counts, with the prior beside it or alone."""
    return EVIDENCE_SHARE if prior else 1.0


def merging(space: Space, counts: FloatArray, count: float, *, prior: bool = True) -> tuple[FloatArray, FloatArray]:
    """What the sizes alone say about one cluster against two: constants and slopes, (m,) both.

    The log posterior odds for merging a cluster of one of `counts` (m,) images with one of `count` are
    constant + slope |s|^2 - share (L_1 + L_2), with s the weighted sum of the images of both and L_1, L_2 their
    `log_evidence`. Without the prior they are what the images alone say.
    """
    from scipy.special import gammaln

    share, weights = share_of(prior), witnesses(counts) + witnesses(np.asarray(count))
    spread = space.within + weights * space.between
    slope = 0.5 * share * space.between / (space.within * spread)
    constant = -0.5 * share * space.centres.shape[1] * np.log(spread / space.within)
    if prior:
        constant += gammaln(counts + count) - gammaln(counts) - gammaln(count)
    return np.asarray(constant), np.asarray(slope)


@dataclass(frozen=True, eq=False)
class Joining:
    """What speaks for putting one image to each cluster rather than into one of its own.

    The log posterior odds of an image z and a cluster with mean m are linear in |z|^2 and m.z.

    Attributes
    ----------
    constant, per_square, per_product
        Of each cluster, (m,).
    """

    constant: FloatArray
    per_square: FloatArray
    per_product: FloatArray

    @classmethod
    def of(cls, space: Space, squares: FloatArray, counts: FloatArray) -> Joining:
        """Clusters of `counts` (m,) images whose means have the squared lengths `squares` (m,)."""
        weights, one = witnesses(counts), np.ones(1)
        constant, slope = merging(space, counts, 1.0)
        own = log_evidence(space, weights, weights**2 * squares)
        nothing = float(log_evidence(space, one, np.zeros(1))[0])
        per_square = float(log_evidence(space, one, one)[0]) - nothing
        return cls(
            constant + slope * weights**2 * squares - EVIDENCE_SHARE * (own + nothing),
            slope - EVIDENCE_SHARE * per_square,
            2.0 * slope * weights,
        )

    @property
    def terms(self) -> FloatArray:
        """All three, (3, m)."""
        return np.stack([self.constant, self.per_square, self.per_product])

    def odds(self, square: float, products: FloatArray) -> FloatArray:
        """Log posterior odds for an image with squared length `square` and these products with the means, (m,)."""
        return np.asarray(self.constant + self.per_square * square + self.per_product * products)
