"""What more images would bring: a law of falling odds through errors of smaller fits. Arrays only.

log(err / (1 - err)) = a - b (1 - n^-q) / q with n images a class. Odds fall by n^-b at one image, as a power law has it
(Hestness et al. 2017, 1712.00409), and by less and less from there, the faster so the larger q (Viering and Loog 2021,
2103.10948). Errors themselves fall slowly where most images are named wrongly, and their odds don't: one prior serves
tasks of 40 % and of 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.advising.subsets import Measured
from inkling.types import FloatArray

LEVEL = 0.8
RATES = np.linspace(0.1, 2.2, 22)
BENDS = np.linspace(0.05, 0.95, 10)
REPLICATES = 400


@dataclass(frozen=True)
class Prior:
    """What curves are like over data sets.

    Attributes
    ----------
    rate, bend
        Means and deviations of b and q.
    misfit
        Deviation of a curve from the law, in log-odds.
    """

    rate: tuple[float, float]
    bend: tuple[float, float]
    misfit: float


PRIOR = Prior(rate=(1.18, 0.3), bend=(0.31, 0.15), misfit=0.07)
"""As curves of five data sets are, on rows that no figure rests on."""


@dataclass(frozen=True)
class Expected:
    """Top-1 with so many times the images, and the interval that holds it with 80 % probability.

    Attributes
    ----------
    times
        Factor on the images of every class.
    shots
        Images a class, on average.
    """

    times: float
    shots: float
    top1: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Measured errors, and replicates of the law through them.

    Attributes
    ----------
    shots, top1
        Images a class and measured top-1, (n_sizes,).
    full
        Mean images a class now.
    levels, rates, bends
        a, b and q of each replicate, (n_replicates,).
    """

    shots: FloatArray
    top1: FloatArray
    full: float
    levels: FloatArray
    rates: FloatArray
    bends: FloatArray

    def expected(self, times: float) -> Expected:
        """Top-1 with so many times the images."""
        errors = 1.0 / (1.0 + np.exp(fall(self.rates, self.bends, times * self.full) - self.levels))
        tail = (1.0 - LEVEL) / 2
        low, high = np.quantile(1.0 - errors, [tail, 1.0 - tail])
        return Expected(times, times * self.full, float(1.0 - np.median(errors)), float(low), float(high))


def learning_curve(measured: Measured, *, prior: Prior = PRIOR, seed: int = 0) -> LearningCurve:
    """Fit the law to resampled images, each time with one of the shapes that fit, by how well they do."""
    rng = np.random.default_rng(seed)
    errors = _resampled(measured, rng)
    odds = np.log(errors / (1.0 - errors))
    rates, bends = (grid.ravel() for grid in np.meshgrid(RATES, BENDS))
    falls = fall(rates[:, None], bends[:, None], measured.shots)
    weights = 1.0 / (prior.misfit**2 + _variance(odds))
    left = odds[:, None] + falls
    levels = left @ weights / weights.sum()
    misfit = (left - levels[:, :, None]) ** 2 @ weights
    log_p = -0.5 * (misfit + _surprise(rates, prior.rate) + _surprise(bends, prior.bend))
    # A shape is drawn by its posterior weight (Gumbel 1954).
    chosen = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    top1 = 1.0 - np.nanmean(measured.errors, axis=0)
    found = levels[np.arange(len(odds)), chosen]
    return LearningCurve(measured.shots, top1, measured.full, found, rates[chosen], bends[chosen])


def fall(rates: FloatArray, bends: FloatArray, shots: float | FloatArray) -> FloatArray:
    """By how much the log-odds are lower than with one image a class."""
    return np.asarray(rates * (1.0 - shots**-bends) / bends)


def _surprise(values: FloatArray, prior: tuple[float, float]) -> FloatArray:
    mean, deviation = prior
    return ((values - mean) / deviation) ** 2


def _resampled(measured: Measured, rng: np.random.Generator) -> FloatArray:
    """Curves of resampled images (Efron 1979), (n_replicates, n_sizes); each with a pseudo-error of one half image."""
    seen = ~np.isnan(measured.errors)
    errors = np.nan_to_num(measured.errors)
    n = len(errors)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=REPLICATES).astype(np.float64)
    return np.asarray((drawn @ errors + 0.5) / (drawn @ seen + 1.0))


def _variance(odds: FloatArray) -> FloatArray:
    """Of each size against the others: what all have in common moves the level alone."""
    return np.asarray((odds - odds.mean(axis=1, keepdims=True)).var(axis=0))
