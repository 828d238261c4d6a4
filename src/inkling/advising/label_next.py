"""Which unlabelled images to label next. Arrays only.

With few labels, those typical of groups that have none (`typicality`). Later, those that the classifier is unsure
about, spread out: the images with the smallest margin between the two likeliest classes are put into groups in the same
way, and the most typical one stands for each, where directions in which images of one class differ count less. Choosing
those that lie farthest from each other instead (k-centre, Sener and Savarese 2018, 1708.00489) finds more odd ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inkling.advising.typicality import typical
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import complete_support, unit_blocks
from inkling.heads.whitening import whitening
from inkling.types import FloatArray, IntArray

FEW_SHOTS = 3
"""Images of the median class below which probabilities can't be calibrated, and typical images are asked about."""
CANDIDATES = 3
"""Unsure images that are looked at for each one that is chosen."""
SHRINKAGE = 0.7
SMALLEST_BLOCK = 8
"""Images that are chosen among one set of candidates, at least; else half as many as there are classes."""

TYPICAL, UNSURE = "typical", "unsure"


@dataclass(frozen=True)
class Choice:
    """An image to label.

    Attributes
    ----------
    row
        Row of the pool.
    reason
        ``typical`` of a group without a label, or ``unsure`` and typical of a group of such.
    group
        Images of that group.
    first, second
        Columns of the two likeliest classes.
    margin
        Probability of the first less that of the second.
    """

    row: int
    reason: str
    group: int
    first: int
    second: int
    margin: float


def label_next(vectors: LabelledVectors, X: FloatArray, p: FloatArray, *, n: int, seed: int = 0) -> tuple[Choice, ...]:
    """Up to n images of a pool, the first to label first.

    Parameters
    ----------
    vectors
        What is labelled.
    X, p
        Vectors (m, n_dims) of the pool and calibrated probabilities (m, n_classes) of its images.
    """
    first, second, margins = _margins(p)
    known, pool = vectors.with_unit_blocks(), unit_blocks(X, vectors.embedding_dims)
    if vectors.median_shots < FEW_SHOTS:
        rows, sizes = typical(pool, known.X, n, seed=seed)
        reason = TYPICAL
    else:
        block = max(vectors.n_classes // 2, SMALLEST_BLOCK)
        rows, sizes = unsure(_whitened(known, pool), margins, n, block=block, seed=seed)
        reason = UNSURE
    return tuple(
        Choice(row, reason, size, int(first[row]), int(second[row]), float(margins[row]))
        for row, size in zip(rows.tolist(), sizes.tolist(), strict=True)
    )


def unsure(pool: FloatArray, margins: FloatArray, n: int, *, block: int, seed: int) -> tuple[IntArray, IntArray]:
    """Rows of the pool that stand for groups of those with small margins (m,), and the size of each one's group.

    Parameters
    ----------
    pool
        Unit vectors in the whitened space.
    block
        How many are chosen before candidates are gathered anew among those that are left.
    """
    left = np.argsort(margins, kind="stable")
    chosen, sizes = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    while len(chosen) < min(n, len(pool)):
        candidates = left[: CANDIDATES * block]
        rows, of_size = typical(pool[candidates], pool[chosen], math.ceil(len(candidates) / CANDIDATES), seed=seed)
        chosen, sizes = np.append(chosen, candidates[rows]), np.append(sizes, of_size)
        left = left[~np.isin(left, chosen)]
    return chosen[:n], sizes[:n]


def _margins(p: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    order = np.argsort(-p, axis=1, kind="stable")
    rows = np.arange(len(p))
    return order[:, 0], order[:, 1], p[rows, order[:, 0]] - p[rows, order[:, 1]]


def _whitened(known: LabelledVectors, pool: FloatArray) -> FloatArray:
    """Unit vectors of the pool in a space where directions in which images of one class differ count less."""
    seen, y = np.unique(known.y, return_inverse=True)
    support = complete_support(known.X, y, None, len(seen), known.X.shape[1])
    return whitening(support, shrinkage=SHRINKAGE)(pool)
