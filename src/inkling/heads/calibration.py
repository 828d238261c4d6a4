"""How far probabilities can be believed: one temperature, and the measures of it. Arrays only.

`z` are logits (n, n_classes), `p` probabilities (n, n_classes), `y` the column of the true class (n,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.heads.softmax import logsumexp, softmax
from inkling.types import FloatArray, IntArray

N_BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin of a reliability diagram: how sure the classifier was, and how often it was right."""

    confidence: float
    accuracy: float
    count: int


def negative_log_likelihood(p: FloatArray, y: IntArray) -> float:
    """Mean of -log p of the true class."""
    return float(-np.log(np.clip(p[np.arange(len(y)), y], 1e-12, None)).mean())


def brier_score(p: FloatArray, y: IntArray) -> float:
    """Mean squared distance of the probabilities to the one-hot truth, summed over classes (Brier 1950)."""
    truth = np.zeros_like(p)
    truth[np.arange(len(y)), y] = 1.0
    return float(((p - truth) ** 2).sum(axis=1).mean())


def reliability(p: FloatArray, y: IntArray, *, bins: int = N_BINS) -> list[ReliabilityBin]:
    """Bins of equal mass over the confidence of the first label.

    Equal mass rather than equal width, so that no bin rests on two images.
    """
    confidence = p.max(axis=1)
    correct = p.argmax(axis=1) == y
    order = np.argsort(confidence, kind="stable")
    return [
        ReliabilityBin(float(confidence[part].mean()), float(correct[part].mean()), len(part))
        for part in np.array_split(order, min(bins, len(order)))
        if len(part)
    ]


def expected_calibration_error(p: FloatArray, y: IntArray, *, bins: int = N_BINS) -> float:
    """Mean gap between confidence and accuracy over bins of equal mass (Guo et al. 2017, 1706.04599)."""
    parts = reliability(p, y, bins=bins)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in parts) / max(len(y), 1)


def fit_temperature(z: FloatArray, y: IntArray) -> float:
    """Temperature T that minimises the NLL of softmax(z / T) (Guo et al. 2017, 1706.04599).

    The logits must come from images that the head did not see in fitting. One pseudo-observation
    with a uniform label is added; without it, a few images that are all right would give infinite confidence (Platt
    1999).
    """
    from scipy.optimize import minimize_scalar

    at_truth = (z[np.arange(len(y)), y].sum() + z.mean()) / (len(y) + 1)

    def loss(log_t: float) -> float:
        t = np.exp(log_t)
        return float(logsumexp(z / t).mean() - at_truth / t)

    found = minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(z: FloatArray, temperature: float) -> FloatArray:
    """Probabilities softmax(z / T), shape (n, n_classes)."""
    return softmax(z.astype(np.float64) / temperature)
