"""Logits of every image by a head that did not see it, however many images there are. Arrays only."""

from __future__ import annotations

import numpy as np

from inkling.heads.auto import AutoHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.out_of_fold import evidence_folds
from inkling.heads.zero_shot import ZeroShotHead
from inkling.types import BoolArray, FloatArray, IntArray

ROUNDS = 2
"""Divisions into folds that logits are the mean of: an image's neighbours are then not always held out with it."""


def held_out_logits(
    vectors: LabelledVectors,
    *,
    seed: int = 0,
    rounds: int = ROUNDS,
    left_out: BoolArray | None = None,
    whole: AutoHead | None = None,
) -> tuple[IntArray, FloatArray]:
    """Rows that could be held out (n,), and their logits (n, n_classes) float32 by `auto`.

    Its weights are found once, on all images; a few numbers tell nothing of any of them. Experts are fitted anew for
    each fold. A class with one image and no text keeps it, and that image has no logits. Where most classes have one
    image, nothing is held out, and texts judge alone if each class has one.

    Parameters
    ----------
    vectors
        Labelled vectors.
    seed
        Draws the folds.
    rounds
        How often all are divided into folds.
    left_out
        Images that have logits but that no head learns from, (n,), unless nothing else tells of their class.
    whole
        Fitted on all images; its weights hold. None: it is fitted here.
    """
    X, y, sources = vectors.X, vectors.y, vectors.sources
    options = vectors.head_options | {"seed": seed}
    doubtful = np.zeros(len(y), dtype=bool) if left_out is None else left_out
    seen = _learned_from(np.ones(len(y), dtype=bool), doubtful, vectors)
    if few_to_hold_out(vectors):
        return _by_texts(vectors)
    whole = whole or AutoHead(**options).fit(X[seen], y[seen], groups=sources[seen])
    total, times = np.zeros((len(y), vectors.n_classes), np.float32), np.zeros(len(y), dtype=np.int64)
    for number in range(rounds):
        fold = evidence_folds(y, sources, vectors.has_text, seed=seed + number, limit=len(y))
        for held in np.unique(fold[fold >= 0]):
            out = fold == held
            seen = _learned_from(~out, doubtful, vectors)
            head = AutoHead(**options).refit(X[seen], y[seen], whole, groups=sources[seen])
            total[out] += head.logits(X[out])
            times[out] += 1
    rows = np.flatnonzero(times)
    return rows, total[rows] / times[rows, None]


def few_to_hold_out(vectors: LabelledVectors) -> bool:
    """Whether most classes have one image, and need it."""
    return vectors.median_shots < 2


def _by_texts(vectors: LabelledVectors) -> tuple[IntArray, FloatArray]:
    """The same by zero-shot, which saw no image; none where a class has no text."""
    if not vectors.has_text.all():
        return np.zeros(0, dtype=np.int64), np.zeros((0, vectors.n_classes))
    head = ZeroShotHead(**vectors.head_options).fit(vectors.X, vectors.y)
    return np.arange(len(vectors)), head.logits(vectors.X)


def _learned_from(given: BoolArray, doubtful: BoolArray, vectors: LabelledVectors) -> BoolArray:
    """Which rows a head learns from, (n,): the doubtful ones only where their class has neither others nor a text."""
    sure = given & ~doubtful
    known = (np.bincount(vectors.y[sure], minlength=vectors.n_classes) > 0) | vectors.has_text
    return np.asarray(sure | (given & ~known[vectors.y]))
