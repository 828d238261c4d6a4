"""How high the score of an image must be, so that known images are called unknown at a chosen rate.

Conformal p-values (Vovk et al. 2005) need no model of the scores: all they ask for is that the scores of the
calibration images and of known images to come are exchangeable. So no fit may have seen the images calibrated on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.wording import counted, rate_text

ROUNDING = 1e-9
"""Keeps (n + 1) alpha a whole number where decimal fractions make it one but for the last bit."""


@dataclass(frozen=True)
class RateRange:
    """Where the realised false-alarm rate will lie.

    Attributes
    ----------
    low, high
        Ends of the central range.
    mean
        Expected rate.
    level
        Probability of the range.
    """

    low: float
    high: float
    mean: float
    level: float


@dataclass(frozen=True)
class Slack:
    """How images to come may differ from those calibrated on, beside chance: the range of the rate takes it in.

    Attributes
    ----------
    between
        Variance of the rate among mixtures of the classes, as a share of rate (1 - rate).
    easier, harder
        By how many standard deviations scores of images to come may lie lower, and higher.
    """

    between: float = 0.0
    easier: float = 0.0
    harder: float = 0.0


class Conformal:
    """Conformal calibration on scores of known images, higher for those less like their class.

    Parameters
    ----------
    calibration
        Scores (n,) of known images that the score was not fitted on, one a source.
    slack
        How images to come may differ; None: not at all.

    Raises
    ------
    InputError
        If a score is not a finite number.
    """

    def __init__(self, calibration: FloatArray, slack: Slack | None = None) -> None:
        scores = np.sort(np.asarray(calibration, dtype=np.float64).ravel())
        if not np.isfinite(scores).all():
            raise InputError("Calibration scores must be finite numbers.", remedy="Leave out images without a score.")
        self.calibration, self.slack = scores, slack or Slack()

    def p_values(self, scores: FloatArray) -> FloatArray:
        """p(x) = (1 + number of calibration scores >= score(x)) / (n + 1), (n_images,).

        Of a known image it is at most alpha with probability at most alpha, for every alpha.
        """
        at_least = len(self.calibration) - np.searchsorted(self.calibration, scores, side="left")
        return cast(FloatArray, (1.0 + at_least) / (len(self.calibration) + 1))

    def are_unknown(self, scores: FloatArray, alpha: float) -> BoolArray:
        """Which images have p(x) <= alpha, (n_images,)."""
        return scores > self.threshold(alpha)

    def threshold(self, alpha: float) -> float:
        """Score above which p(x) <= alpha.

        Raises
        ------
        InputError
            If there are too few calibration images for the rate.
        """
        return float(self.calibration[len(self.calibration) - self._rank(alpha)])

    def rate_range(self, alpha: float, *, n_images: int | None = None, level: float = 0.9) -> RateRange:
        """Range of the realised false-alarm rate at a requested rate alpha.

        On endlessly many known images the rate follows Beta(l, n + 1 - l), l = floor((n + 1) alpha); on `n_images` of
        them the beta-binomial distribution (Vovk 2012, 1209.2673). Slack makes n as small as the variance among
        mixtures of classes asks for, and moves l / (n + 1) as if scores were normal.

        Raises
        ------
        InputError
            If there are too few calibration images for the rate.
        """
        from scipy.special import ndtr, ndtri

        expected = self._rank(alpha) / (len(self.calibration) + 1)
        normal = float(ndtri(expected))
        low = self._quantile(float(ndtr(normal - self.slack.easier)), 0.5 - level / 2, n_images)
        high = self._quantile(float(ndtr(normal + self.slack.harder)), 0.5 + level / 2, n_images)
        return RateRange(low, high, expected, level)

    def _quantile(self, expected: float, share: float, n_images: int | None) -> float:
        """Quantile of the rate where so many known images are expected to be called unknown."""
        counts_as = (len(self.calibration) + 1) / (1.0 + len(self.calibration) * self.slack.between)
        a, b = expected * counts_as, (1.0 - expected) * counts_as
        if n_images is None:
            from scipy.special import betaincinv

            return float(betaincinv(a, b, share))
        from scipy.stats import betabinom

        return float(betabinom.ppf(share, n_images, a, b) / n_images)

    def _rank(self, alpha: float) -> int:
        """How many calibration images may score at least as high as the threshold: l = floor((n + 1) alpha)."""
        require_images(len(self.calibration), alpha)
        return int(np.floor((len(self.calibration) + 1) * alpha + ROUNDING))


def images_needed(alpha: float) -> int:
    """Least number of calibration images that a false-alarm rate alpha can rest on: alpha >= 1 / (n + 1)."""
    return int(np.ceil(1.0 / alpha - ROUNDING)) - 1


def require_images(n: int, alpha: float) -> None:
    """Refuse a false-alarm rate alpha that n calibration images can't support.

    Raises
    ------
    InputError
        If there are too few, or alpha is no rate.
    """
    if not 0.0 < alpha < 1.0:
        raise InputError(
            f"The false-alarm rate must lie between 0 and 1, got {alpha:g}.", remedy="0.05 stands for one in twenty."
        )
    if n < images_needed(alpha):
        least = f", or ask for a rate of {np.ceil(1000 / (n + 1)) / 1000:.3f} or more" if n else ""
        raise InputError(
            f"A false-alarm rate of {rate_text(alpha)} needs at least {counted(images_needed(alpha), 'known image')} "
            f"to calibrate on, and there are {n} that can be held out with all of their source.",
            remedy=f"Add images{least}.",
        )


def variance_between(scores: FloatArray, y: IntArray, alpha: float) -> float:
    """Variance of the false-alarm rate among mixtures of the classes, as a share of rate (1 - rate).

    Images of some classes are called unknown more often than those of others, and nobody knows how many images of each
    class will come. With r the share of the variance of "is called unknown" that lies between classes (one-way analysis
    of variance, mean of alpha and its double), mixtures that give K classes weights of any size, drawn from a flat
    Dirichlet distribution, differ by r / K.

    Parameters
    ----------
    scores
        Of known images that the score was not fitted on, (n,).
    y
        Their classes, (n,).
    alpha
        Requested rate.
    """
    y = np.unique(y, return_inverse=True)[1]
    counts = np.bincount(y)
    n, n_classes = len(y), len(counts)
    if n_classes < 2 or n <= n_classes:
        return 0.0
    per_class = (n - (counts**2).sum() / n) / (n_classes - 1)
    shares = []
    for rate in (alpha, min(2.0 * alpha, 0.5)):
        called = (scores > np.quantile(scores, 1.0 - rate)).astype(np.float64)
        means = np.bincount(y, weights=called) / counts
        between = (counts * (means - called.mean()) ** 2).sum() / (n_classes - 1)
        within = ((called - means[y]) ** 2).sum() / (n - n_classes)
        total = between + (per_class - 1.0) * within
        shares.append(max(between - within, 0.0) / total if total > 0 else 0.0)
    return float(np.mean(shares)) / n_classes
