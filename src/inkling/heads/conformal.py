"""How high the score of an image must be, so that known images are called unknown at a chosen rate.

Conformal p-values (Vovk et al. 2005) need no model of the scores: all they ask for is that the scores of the
calibration images and of known images to come are exchangeable. So no fit may have seen the images calibrated on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray

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


class Conformal:
    """Conformal calibration on scores of known images, higher for those less like their class.

    Parameters
    ----------
    calibration
        Scores (n,) of known images that the score was not fitted on.

    Raises
    ------
    InputError
        If a score is not a finite number.
    """

    def __init__(self, calibration: FloatArray) -> None:
        scores = np.sort(np.asarray(calibration, dtype=np.float64).ravel())
        if not np.isfinite(scores).all():
            raise InputError("Calibration scores must be finite numbers.", remedy="Leave out images without a score.")
        self.calibration = scores

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
        them the beta-binomial distribution (Vovk 2012, 1209.2673).

        Raises
        ------
        InputError
            If there are too few calibration images for the rate.
        """
        from scipy.special import betaincinv

        rank, n = self._rank(alpha), len(self.calibration)
        tails = np.array([0.5 - level / 2, 0.5 + level / 2])
        if n_images is None:
            low, high = betaincinv(rank, n + 1 - rank, tails)
        else:
            from scipy.stats import betabinom

            low, high = betabinom.ppf(tails, n_images, rank, n + 1 - rank) / n_images
        return RateRange(float(low), float(high), rank / (n + 1), level)

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
            f"A false-alarm rate of {alpha:.3g} needs at least {images_needed(alpha)} known images to calibrate on, "
            f"and there are {n}; an image that is alone in its class is none.",
            remedy=f"Add images{least}.",
        )
