"""What a figure measured on n images can and cannot tell: intervals, and a paired test. Arrays only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv, chdtrc, ndtri

from inkling.types import FloatArray, IntArray

LEVEL = 0.95
N_RESAMPLES = 2000
FEW_DISCORDANT = 25
_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Interval:
    """Lower and upper end of a 95 % interval."""

    low: float
    high: float


def bootstrap_means(values: FloatArray, *, seed: int, n_resamples: int = N_RESAMPLES) -> list[Interval]:
    """Percentile bootstrap interval of the mean of each column, resampling images (Efron 1979).

    Parameters
    ----------
    values
        One row an image, one column a measure, (n, m). Columns share their resamples, so the interval of a
        column of differences is the paired one.
    """
    means = np.concatenate([c @ values for c in _resamples(len(values), n_resamples, seed)]) / len(values)
    return [_percentiles(column) for column in means.T]


def bootstrap_balanced_accuracy(
    correct: NDArray[np.bool_], y: IntArray, *, seed: int, n_resamples: int = N_RESAMPLES
) -> Interval:
    """Percentile bootstrap interval of the mean recall over the classes that a resample holds."""
    order = np.argsort(y, kind="stable")
    starts = np.flatnonzero(np.diff(y[order], prepend=-1))
    hits = correct[order].astype(np.float64)
    draws = [_mean_recall(c, c * hits, starts) for c in _resamples(len(y), n_resamples, seed)]
    return _percentiles(np.concatenate(draws))


def exact_interval(successes: int, n: int) -> Interval:
    """Exact binomial interval of a share (Clopper and Pearson 1934)."""
    tail = (1 - LEVEL) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(low, high)


def paired_difference(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    """Interval of the difference of two shares of the same n images (Newcombe 1998, method 10).

    Parameters
    ----------
    first, second
        Whether each image counts, (n,); the difference is the share of the first less that of the second.
    """
    n = len(first)
    a, b = int((first & second).sum()), int((first & ~second).sum())
    c, d = int((~first & second).sum()), int((~first & ~second).sum())
    one, other = (a + b) / n, (a + c) / n
    (low_one, high_one), (low_other, high_other) = _wilson(one, n), _wilson(other, n)
    product = (a + b) * (c + d) * (a + c) * (b + d)
    agreement = a * d - b * c
    phi = (max(agreement - n / 2, 0.0) if agreement > 0 else agreement) / math.sqrt(product) if product else 0.0
    below, above = (one - low_one, high_other - other), (high_one - one, other - low_other)
    lower, upper = (math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0)) for x, y in (below, above))
    return Interval(one - other - lower, one - other + upper)


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927)."""
    z = float(ndtri(1 - (1 - LEVEL) / 2))
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


@dataclass(frozen=True)
class PairedTest:
    """Two classifiers on the same images, by the images that only one of them gets right.

    Attributes
    ----------
    only_first, only_second
        Images that only the first, only the second classifier names correctly.
    p_value
        Two-sided probability of a split at least this uneven if both were equally good.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> PairedTest:
    """McNemar's test (McNemar 1947) of two columns (n,) that say whether each image was named correctly.

    Exact binomial below 25 discordant pairs, otherwise chi-squared with continuity correction (Edwards 1948),
    (|b - c| - 1)^2 / (b + c) with one degree of freedom.
    """
    b = int((first & ~second).sum())
    c = int((~first & second).sum())
    return PairedTest(b, c, _mcnemar_p(b, c))


def _mcnemar_p(b: int, c: int) -> float:
    if b + c < FEW_DISCORDANT:
        return min(1.0, 2.0 * float(bdtr(min(b, c), b + c, 0.5)))
    return float(chdtrc(1, max(abs(b - c) - 1, 0) ** 2 / (b + c)))


def _resamples(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[Any]]:
    """How often each image is drawn, (some, n) at a time so that memory stays flat."""
    rng = np.random.default_rng(seed)
    rows = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, n_resamples, rows):
        size = min(rows, n_resamples - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _mean_recall(drawn: FloatArray, hits: FloatArray, starts: IntArray) -> FloatArray:
    support = np.add.reduceat(drawn, starts, axis=1)
    found = np.add.reduceat(hits, starts, axis=1)
    recall = np.divide(found, support, out=np.zeros_like(found), where=support > 0)
    return np.asarray(recall.sum(axis=1) / (support > 0).sum(axis=1))


def _percentiles(draws: FloatArray) -> Interval:
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return Interval(float(low), float(high))
