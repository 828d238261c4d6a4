"""What more images would bring: a power law with an offset through errors of smaller fits. Arrays only.

err(n) = e [g + (1 - g) (n / n_0)^-b], with e the error with all n_0 images a class, g the share of it that no image
takes away, and b how fast the rest falls (Hestness et al. 2017, 1712.00409; Viering and Loog 2021, 2103.10948).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.advising.subsets import Measured
from inkling.types import FloatArray

LEVEL = 0.8
RATES = np.linspace(0.05, 1.6, 32)
FLOORS = np.linspace(0.0, 0.95, 20)
PRIOR_RATE = (0.8, 0.3)
"""Mean and deviation of b, as it is over data sets."""
PRIOR_FLOOR = 0.25
"""Scale of g: small ones are likelier."""
MISFIT = 0.08
"""Relative deviation of a curve from the law."""
REPLICATES = 400


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
    levels, floors, rates
        e, g and b of each replicate, (n_replicates,).
    """

    shots: FloatArray
    top1: FloatArray
    full: float
    levels: FloatArray
    floors: FloatArray
    rates: FloatArray

    def expected(self, times: float) -> Expected:
        """Top-1 with so many times the images."""
        errors = np.clip(self.levels * _law(self.floors, self.rates, times), 0.0, 1.0)
        tail = (1.0 - LEVEL) / 2
        low, high = np.quantile(1.0 - errors, [tail, 1.0 - tail])
        return Expected(times, times * self.full, float(1.0 - np.median(errors)), float(low), float(high))


def learning_curve(measured: Measured, *, seed: int = 0) -> LearningCurve:
    """Fit the law to resampled images, each time with one of the shapes that fit, by how well they do."""
    rng = np.random.default_rng(seed)
    curves = _resampled(measured, rng)
    whole = np.nanmean(measured.errors, axis=0)
    rates, floors = (grid.ravel() for grid in np.meshgrid(RATES, FLOORS))
    shapes = _law(floors[:, None], rates[:, None], measured.shots / measured.full)
    weights = 1.0 / (MISFIT**2 + _relative_variance(curves, whole))
    levels = (curves * weights) @ shapes.T / ((shapes**2) @ weights)
    misfit = ((curves[:, None] - levels[:, :, None] * shapes) ** 2 @ weights) / np.maximum(whole.mean(), 1e-3) ** 2
    log_p = -0.5 * misfit - 0.5 * ((rates - PRIOR_RATE[0]) / PRIOR_RATE[1]) ** 2 - floors / PRIOR_FLOOR
    # A shape is drawn by its posterior weight (Gumbel 1954).
    chosen = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    rows = np.arange(len(curves))
    return LearningCurve(
        measured.shots, 1.0 - whole, measured.full, levels[rows, chosen], floors[chosen], rates[chosen]
    )


def _law(floors: FloatArray, rates: FloatArray, times: float | FloatArray) -> FloatArray:
    return np.asarray(floors + (1.0 - floors) * times**-rates)


def _resampled(measured: Measured, rng: np.random.Generator) -> FloatArray:
    """Curves of resampled images (Efron 1979), (n_replicates, n_sizes); each with a pseudo-error of one half image."""
    seen = ~np.isnan(measured.errors)
    errors = np.nan_to_num(measured.errors)
    n = len(errors)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=REPLICATES).astype(np.float64)
    return np.asarray((drawn @ errors + 0.5) / (drawn @ seen + 1.0))


def _relative_variance(curves: FloatArray, whole: FloatArray) -> FloatArray:
    """Of each size against the others: what all have in common moves the level alone."""
    relative = np.log(np.maximum(curves, 1e-4))
    return np.asarray((relative - relative.mean(axis=1, keepdims=True)).var(axis=0)) * (whole > 0)
