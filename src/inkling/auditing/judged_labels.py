"""Labels judged twice: by heads that learned from all of them, then by heads that no doubtful one misleads.

Arrays only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.auditing.held_out import ROUNDS, held_out_logits
from inkling.auditing.label_noise import LabelNoise
from inkling.auditing.narrowed import narrowed
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray, IntArray

LIKELY = 0.5
"""Probability from which on a label is said to be wrong, and from which on no head learns from it."""
MANY = 4_000
"""Images from which on one division into folds serves: there are neighbours enough in the others."""


@dataclass(frozen=True, eq=False)
class JudgedLabels:
    """Images as heads see them that were not fitted on them.

    Attributes
    ----------
    rows
        Which of the images they are, (n,); empty where none could be held out.
    y
        Column of the label of each, (n,).
    p
        Probabilities of the right labels, (n, n_classes).
    p_wrong
        Probability that each label is wrong, (n,).
    share_wrong
        Estimated share of wrong labels.
    """

    rows: IntArray
    y: IntArray
    p: FloatArray
    p_wrong: FloatArray
    share_wrong: float


def judged_labels(vectors: LabelledVectors, *, seed: int = 0) -> JudgedLabels:
    """How likely each label is wrong.

    Parameters
    ----------
    vectors
        Labelled vectors.
    seed
        Draws the folds.
    """
    vectors, rounds = narrowed(vectors), ROUNDS if len(vectors) < MANY else 1
    rows, logits = held_out_logits(vectors, seed=seed, rounds=rounds)
    first = judged_by(logits, vectors.y[rows], rows, seed=seed)
    if not (first.p_wrong >= LIKELY).any():
        return first
    doubtful = np.zeros(len(vectors), dtype=bool)
    doubtful[rows] = first.p_wrong >= LIKELY
    rows, logits = held_out_logits(vectors, seed=seed, rounds=rounds, left_out=doubtful)
    return judged_by(logits, vectors.y[rows], rows, seed=seed)


def judged_by(logits: FloatArray, y: IntArray, rows: IntArray, *, seed: int = 0) -> JudgedLabels:
    """The same from logits (n, n_classes) of the images `rows` by heads that did not see them.

    Parameters
    ----------
    y
        Column of the label of each, (n,).
    """
    if not len(rows):
        return JudgedLabels(rows, y, np.zeros(logits.shape), np.zeros(0), 0.0)
    noise = LabelNoise.fit(logits, y, seed=seed)
    return JudgedLabels(rows, y, noise.probabilities(logits), noise.p_wrong(logits, y), noise.share)
