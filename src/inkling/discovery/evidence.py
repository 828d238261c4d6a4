"""How much the images of two clusters speak for a common centre.

A cluster of n images with mean m is weighed by the marginal likelihood of PLDA, less that of n images each of which is
its own noise: L(n, m) = d/2 [-log(1 + n b/w) + n^2 b |m|^2 / (d w (w + n b))]. What images of the cluster do not share
cancels in L(A + B) - L(A) - L(B), the log Bayes factor of one cluster against two. Beside it stands the prior of the
Chinese restaurant, which lets large clusters grow: for two tables with a and b guests it is (a+b-1)! / ((a-1)! (b-1)!).
"""

from __future__ import annotations

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


def log_bayes_factors(
    space: Space, means: FloatArray, counts: FloatArray, mean: FloatArray, count: float
) -> FloatArray:
    """Of joining the cluster (mean (d,), count) with each of the clusters (means (m, d), counts (m,)), (m,)."""
    weights, weight = witnesses(counts), witnesses(np.asarray(count))
    squares, square = (means**2).sum(axis=1), float(mean @ mean)
    joined = weights**2 * squares + weight**2 * square + 2.0 * weights * weight * (means @ mean)
    apart = log_evidence(space, weights, weights**2 * squares) + log_evidence(space, weight, weight**2 * square)
    return np.asarray(log_evidence(space, weights + weight, joined) - apart)


def gains(log_bayes_factors: FloatArray, counts: FloatArray, count: float, *, prior: bool = True) -> FloatArray:
    """Log posterior odds of one cluster against two, for clusters of `counts` (m,) images and one of `count`, (m,).

    Without the prior it is what the images alone say.
    """
    from scipy.special import gammaln

    if not prior:
        return log_bayes_factors
    restaurant = gammaln(counts + count) - gammaln(counts) - gammaln(count)
    return np.asarray(EVIDENCE_SHARE * log_bayes_factors + restaurant)
