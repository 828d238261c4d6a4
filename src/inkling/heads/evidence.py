"""Out-of-fold evidence: logits of heads for images that they did not see, and what follows from them. Arrays only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inkling.heads.softmax import log_softmax
from inkling.types import FloatArray, IntArray

FAINT = 1e-3
"""Standard deviation of logits that all but leave the odds even."""


def grouped_folds(y: IntArray, groups: IntArray, *, n_folds: int, seed: int) -> IntArray:
    """Fold of each image, (n,): classes spread evenly, images of one group (views of one source) kept together.

    A group with several labels, such as a file that lies in two class folders, counts for the first.
    """
    rng = np.random.default_rng(seed)
    _, first, source = np.unique(groups, return_index=True, return_inverse=True)
    order = np.lexsort((rng.random(len(first)), y[first]))
    fold_of_source = np.empty(len(first), dtype=np.int64)
    fold_of_source[order] = np.arange(len(first)) % n_folds
    return np.asarray(fold_of_source[source])


def log_loss(z: FloatArray, y: IntArray) -> FloatArray:
    """-log softmax(z) of the true class, for each image (n,)."""
    return np.asarray(-log_softmax(z)[np.arange(len(y)), y])


def blend_weights(Z: FloatArray, y: IntArray) -> FloatArray:
    """Weights w >= 0 (n_experts,) that minimise the log-loss of sum_e w_e Z_e; Z is (n_experts, n, n_classes).

    The problem is convex, and the weights set the temperature as well. One pseudo-observation
    with a uniform label is added; without it, weights of a few images that are all right would be unbounded (Platt
    1999). Where nothing
    is better than even odds, all experts get a faint weight: the odds stay even, in the order of the experts.
    """
    from scipy.optimize import minimize

    spread = Z.std(axis=(1, 2))
    spread[spread == 0] = 1.0
    scaled = Z / spread[:, None, None]
    known, guessed = scaled[:, np.arange(len(y)), y].sum(axis=1), scaled.mean(axis=(1, 2))
    at_truth = (known + guessed) / (len(y) + 1)

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        z = np.tensordot(w, scaled, axes=1)
        top = z.max(axis=1, keepdims=True)
        p = np.exp(z - top)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        slope = scaled.reshape(len(Z), -1) @ p.ravel() / len(y) - at_truth
        return float((np.log(total) + top).mean() - w @ at_truth), slope

    bounds = [(0.0, None)] * len(Z)
    found = minimize(loss, np.ones(len(Z)), jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-6})
    return np.asarray((found.x if found.x.any() else np.full(len(Z), FAINT)) / spread)


def cross_fitted(
    Z: FloatArray, y: IntArray, fold: IntArray, weigh: Callable[[FloatArray, IntArray], FloatArray]
) -> FloatArray:
    """Blended logits (n, n_classes), the weights of each fold found on the other folds, so no image judges itself."""
    blended = np.empty(Z.shape[1:])
    for held in np.unique(fold):
        out = fold == held
        blended[out] = np.tensordot(weigh(Z[:, ~out], y[~out]), Z[:, out], axes=1)
    return blended


@dataclass(frozen=True, eq=False)
class Evidence:
    """Out-of-fold showing of one candidate.

    Attributes
    ----------
    name
        Name of the candidate.
    logits
        Scores of images that it did not see, (n, n_classes).
    losses
        Log-loss of each image, (n,).
    top1
        Share of images whose label comes first.
    sources
        Source of each image, (n,).
    """

    name: str
    logits: FloatArray
    losses: FloatArray
    top1: float
    sources: IntArray

    @classmethod
    def of(cls, name: str, z: FloatArray, y: IntArray, *, sources: IntArray | None = None) -> Evidence:
        """Evidence from out-of-fold logits z (n, n_classes); without sources (n,), each image is one of its own."""
        own = np.arange(len(y)) if sources is None else sources
        return cls(name, z, log_loss(z, y), float((z.argmax(axis=1) == y).mean()), own)


def gain_p_value(candidate: Evidence, baseline: Evidence) -> float:
    """One-sided paired t-test that the candidate's log-loss is lower than the baseline's.

    Images of one source are no independent draws: their mean counts as one. Of few, no more is made than their signs
    can show: that all n of them gain has a chance of 2^-n.
    """
    from scipy.special import stdtr

    _, source, n = np.unique(candidate.sources, return_inverse=True, return_counts=True)
    gain = np.bincount(source, weights=baseline.losses - candidate.losses) / n
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    if error == 0:
        return 1.0
    return max(float(stdtr(len(gain) - 1, -gain.mean() / error)), 0.5 ** len(gain))
