"""Which of many unlabelled images to begin with: the most typical of each group. Arrays only.

Hacohen, Dekel and Weinshall 2022, "Active learning on a budget", 2202.02794: with few labels, typical images bring more
than uncertain ones. Groups are found by k-means, as many as there will be labels; those without a label come first, the
largest first, each with the image of the highest density, 1 / mean distance to its nearest neighbours.
"""

from __future__ import annotations

import numpy as np

from inkling.types import FloatArray, IntArray

NEIGHBOURS = 20
SMALLEST = 5
"""Images of a group that is asked about before smaller ones."""
MOST_GROUPS = 500
ROUNDS = 15


def typical(X: FloatArray, labelled: FloatArray, n: int, *, seed: int) -> tuple[IntArray, IntArray]:
    """Rows of X to label, in order, and the size of the group that each is typical of.

    Parameters
    ----------
    X, labelled
        Unit vectors (n_pool, d) and (n_labelled, d); of the latter there may be none.
    n
        How many to choose at most.
    """
    everything = np.concatenate([X, labelled])
    n_groups = int(min(len(labelled) + n, MOST_GROUPS, len(everything)))
    group = groups_of(everything, n_groups, seed=seed)
    taken = np.bincount(group[len(X) :], minlength=n_groups)
    members = [np.flatnonzero(group[: len(X)] == k) for k in range(n_groups)]
    queues = [rows[np.argsort(-_density(X[rows]), kind="stable")].tolist() for rows in members]
    sizes = np.bincount(group, minlength=n_groups)
    chosen: list[int] = []
    of_size: list[int] = []
    while len(chosen) < min(n, len(X)):
        open_ = [k for k in range(n_groups) if queues[k]]
        best = min(open_, key=lambda k: (taken[k], sizes[k] < SMALLEST, -sizes[k]))
        chosen.append(queues[best].pop(0))
        of_size.append(int(sizes[best]))
        taken[best] += 1
    return np.array(chosen, dtype=np.int64), np.array(of_size, dtype=np.int64)


def groups_of(X: FloatArray, n_groups: int, *, seed: int) -> IntArray:
    """Group of each unit vector by spherical k-means from k-means++ (Arthur and Vassilvitskii 2007), (n,)."""
    rng = np.random.default_rng(seed)
    X = X.astype(np.float32)
    centres = X[_spread(X, n_groups, rng)]
    group: IntArray = (X @ centres.T).argmax(axis=1)
    for _ in range(ROUNDS):
        sums = np.zeros_like(centres)
        np.add.at(sums, group, X)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)
        before, group = group, (X @ centres.T).argmax(axis=1)
        if (before == group).all():
            break
    return group


def _spread(X: FloatArray, n: int, rng: np.random.Generator) -> list[int]:
    chosen = [int(rng.integers(len(X)))]
    distance = 1.0 - X @ X[chosen[0]]
    while len(chosen) < n:
        weights = np.maximum(distance, 0.0).astype(np.float64)
        weights[chosen] = 0.0
        total = weights.sum()
        left = np.setdiff1d(np.arange(len(X)), chosen)
        new = int(rng.choice(len(X), p=weights / total)) if total > 0 else int(left[0])
        chosen.append(new)
        distance = np.minimum(distance, 1.0 - X @ X[new])
    return chosen


def _density(X: FloatArray) -> FloatArray:
    """1 / mean distance to the nearest neighbours within the group, (n,)."""
    if len(X) < 2:
        return np.ones(len(X))
    squared = np.maximum(2.0 - 2.0 * X.astype(np.float64) @ X.T, 0.0)
    np.fill_diagonal(squared, np.inf)
    k = min(NEIGHBOURS, len(X) - 1)
    nearest = np.sqrt(np.partition(squared, k - 1, axis=1)[:, :k])
    return np.asarray(1.0 / (nearest.mean(axis=1) + 1e-6))
