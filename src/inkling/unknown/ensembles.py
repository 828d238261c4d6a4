"""Members that know the same classes a little differently: where they disagree, no class fits the image well.

Any ensemble will do, such as fine-tuned models with LoRA: hand their probabilities to `mutual_information`.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from inkling.heads.prototype import COSINE_SCALE
from inkling.heads.scatter import class_means
from inkling.heads.softmax import softmax
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

N_BOOTSTRAPS = 8
N_DROPOUTS = 8
DROPOUT = 0.5
"""Share of the dimensions that a member of the second kind goes without."""


def entropy(p: FloatArray) -> FloatArray:
    """-sum_k p_k log p_k over the last axis, in nats."""
    return cast(FloatArray, -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1))


def mutual_information(p: FloatArray) -> FloatArray:
    """H(mean p) - mean H(p) of an ensemble's probabilities p (n_members, n, n_classes), in nats, (n,).

    Depeweg et al. 2018, 1710.07283.
    """
    return cast(FloatArray, np.maximum(entropy(p.mean(axis=0)) - entropy(p).mean(axis=0), 0.0))


def prototype_members(X: FloatArray, y: IntArray, n_classes: int, *, seed: int) -> FloatArray:
    """Unit class means of each member, (n_members, n_classes, n_dims).

    Half of the members saw a bootstrap of the images of each class, the other half a part of the dimensions (dropout
    on the head: Gal and Ghahramani 2016, 1506.02142).
    """
    rng = np.random.default_rng(seed)
    order, means = np.argsort(y, kind="stable"), class_means(X, y, n_classes)
    counts = np.bincount(y, minlength=n_classes)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    drawn = [order[starts + (rng.random(len(y)) * counts[y[order]]).astype(np.int64)] for _ in range(N_BOOTSTRAPS)]
    bootstrapped = [class_means(X[rows], y[rows], n_classes) for rows in drawn]
    dropped = [means * (rng.random(X.shape[1]) >= DROPOUT) for _ in range(N_DROPOUTS)]
    return np.stack([unit_rows(member) for member in (*bootstrapped, *dropped)]).astype(np.float32)


def member_probabilities(X: FloatArray, members: FloatArray) -> FloatArray:
    """Softmax of each member's scaled cosines to unit rows X, (n_members, n, n_classes)."""
    return softmax(COSINE_SCALE * (X @ members.transpose(0, 2, 1)).astype(np.float64))
