"""Logits of every image by a head that did not see it, however many images there are. Arrays only."""

from __future__ import annotations

import numpy as np

from inkling.heads.auto import AutoHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.out_of_fold import evidence_folds
from inkling.types import FloatArray, IntArray

ROUNDS = 2
"""Divisions into folds that logits are the mean of: an image's neighbours are then not always held out with it."""


def held_out_logits(vectors: LabelledVectors, *, seed: int = 0, rounds: int = ROUNDS) -> tuple[IntArray, FloatArray]:
    """Rows that could be held out (n,), and their logits (n, n_classes) float32 by `auto`.

    Its weights are found once, on all images; a few numbers tell nothing of any of them. Experts are fitted anew for
    each fold. A class with one image and no text keeps it, and that image has no logits.

    Parameters
    ----------
    vectors
        Labelled vectors.
    seed
        Draws the folds.
    rounds
        How often all are divided into folds.
    """
    X, y, sources = vectors.X, vectors.y, vectors.sources
    options = vectors.head_options | {"seed": seed}
    whole = AutoHead(**options).fit(X, y, groups=sources)
    total, times = np.zeros((len(y), vectors.n_classes), np.float32), np.zeros(len(y), dtype=np.int64)
    for number in range(rounds):
        fold = evidence_folds(y, sources, vectors.has_text, seed=seed + number, limit=len(y))
        for held in np.unique(fold[fold >= 0]):
            out = fold == held
            head = AutoHead(**options).refit(X[~out], y[~out], whole, groups=sources[~out])
            total[out] += head.logits(X[out])
            times[out] += 1
    rows = np.flatnonzero(times)
    return rows, total[rows] / times[rows, None]
