"""Which unlabelled images to label next. Arrays only.

With few labels, those typical of groups that have none (`typicality`). Later, those that the classifier is unsure
about, spread out: of the images with the smallest margin between the two likeliest classes, each next one is that which
lies farthest from all that are labelled or chosen (k-centre, Sener and Savarese 2018, 1708.00489), where directions in
which images of one class differ count less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.advising.typicality import typical
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import complete_support, unit_blocks, unit_rows
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
        ``typical`` of a group without a label, or ``unsure``.
    group
        Images of that group; 0 for those that are unsure.
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
    labelled, pool = vectors.with_unit_blocks().X, unit_blocks(X, vectors.embedding_dims)
    group = np.zeros(len(X), dtype=np.int64)
    if vectors.median_shots < FEW_SHOTS:
        rows, sizes = typical(pool, labelled, n, seed=seed)
        group[rows] = sizes
        reason = TYPICAL
    else:
        rows = unsure(*_whitened(vectors, pool), margins, n, block=max(vectors.n_classes // 2, SMALLEST_BLOCK))
        reason = UNSURE
    return tuple(
        Choice(row, reason, int(group[row]), int(first[row]), int(second[row]), float(margins[row]))
        for row in rows.tolist()
    )


def unsure(labelled: FloatArray, pool: FloatArray, margins: FloatArray, n: int, *, block: int) -> IntArray:
    """Rows of the pool with small margins (m,), far from each other and from what is labelled.

    Parameters
    ----------
    labelled, pool
        Unit vectors in the whitened space.
    block
        How many are chosen before candidates are gathered anew among those that are left.
    """
    nearest = (pool @ labelled.T).max(axis=1)
    left = np.argsort(margins, kind="stable")
    chosen: list[int] = []
    while len(chosen) < min(n, len(pool)):
        candidates = left[: CANDIDATES * block]
        for _ in range(min(block, n - len(chosen), len(candidates))):
            # What is surer counts as nearer: of two images as far away the unsure one is chosen.
            worth = np.where(
                np.isin(candidates, chosen), -np.inf, (1.0 - nearest[candidates]) * (1.0 - margins[candidates])
            )
            best = int(candidates[worth.argmax()])
            chosen.append(best)
            nearest = np.maximum(nearest, pool @ pool[best])
        left = left[~np.isin(left, chosen)]
    return np.array(chosen, dtype=np.int64)


def _margins(p: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    order = np.argsort(-p, axis=1, kind="stable")
    rows = np.arange(len(p))
    return order[:, 0], order[:, 1], p[rows, order[:, 0]] - p[rows, order[:, 1]]


def _whitened(vectors: LabelledVectors, pool: FloatArray) -> tuple[FloatArray, FloatArray]:
    known = vectors.with_unit_blocks()
    seen, y = np.unique(known.y, return_inverse=True)
    support = complete_support(known.X, y, None, len(seen), known.X.shape[1])
    mapped: Any = whitening(support, shrinkage=SHRINKAGE)
    return unit_rows(mapped(known.X)), unit_rows(mapped(pool))
