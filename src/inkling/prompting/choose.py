"""Choosing one text vector a class among several, by labelled images. Arrays only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inkling.heads.evidence import grouped_folds
from inkling.heads.softmax import log_softmax
from inkling.types import FloatArray, IntArray

N_FOLDS = 5
ROUNDS = 3
"""How often all classes are gone through; choices of some depend on those of others."""
ERRORS = 2.0
"""Standard errors by which a wording must lower the loss before it is preferred to the given one."""


def choose(
    X: FloatArray, y: IntArray, candidates: Sequence[FloatArray], *, logit_scale: float
) -> tuple[IntArray, FloatArray]:
    """Number of the candidate for each class (n_classes,), and how much it lowers the loss of the given one.

    The loss is that of zero-shot, -log softmax(s f.t) of the right class, every class counting alike. One class after
    the other takes the candidate that lowers it most, if that is beyond chance.

    Parameters
    ----------
    X
        Unit embeddings (n, d).
    y
        Class of each, (n,).
    candidates
        Unit text vectors (m_k, d) of each class, the given one first.
    """
    weight = 1.0 / np.bincount(y, minlength=len(candidates))[y]
    weight /= weight.sum()
    logits = [logit_scale * X @ vectors.T for vectors in candidates]
    chosen, gains = np.zeros(len(candidates), dtype=np.int64), np.zeros(len(candidates))
    z = np.stack([one[:, 0] for one in logits], axis=1)
    for _ in range(ROUNDS):
        before = chosen.copy()
        for k, columns in enumerate(logits):
            base = z.copy()
            base[:, k] = columns[:, 0]
            at, gain = _best(base, k, columns, y, weight)
            chosen[k], gains[k], z[:, k] = at, gain, columns[:, at]
        if (chosen == before).all():
            break
    return chosen, gains


def _best(z: FloatArray, k: int, columns: FloatArray, y: IntArray, weight: FloatArray) -> tuple[int, float]:
    """The column for class k that lowers the loss most, 0 where none does so beyond chance; and by how much."""
    given, best = _losses(z, y), (0, 0.0)
    for at in range(1, columns.shape[1]):
        z[:, k] = columns[:, at]
        lower = weight * (given - _losses(z, y))
        gain, error = float(lower.sum()), float(np.sqrt((lower**2).sum()))
        if gain > max(best[1], ERRORS * error):
            best = (at, gain)
    return best


def _losses(z: FloatArray, y: IntArray) -> FloatArray:
    found: FloatArray = -log_softmax(z)[np.arange(len(y)), y]
    return found


def out_of_fold_logits(
    X: FloatArray,
    y: IntArray,
    sources: IntArray,
    sets: Sequence[Sequence[FloatArray]],
    *,
    logit_scale: float,
    seed: int,
) -> FloatArray:
    """Zero-shot logits (n, n_classes) of each image in words that were chosen on the others.

    Parameters
    ----------
    sets
        Candidates of each class for each set of templates; the set is chosen as well.
    """
    fold = grouped_folds(y, sources, n_folds=N_FOLDS, seed=seed)
    found = np.zeros((len(y), len(sets[0])))
    for held in np.unique(fold):
        out = fold == held
        at, chosen, _ = choose_set(X[~out], y[~out], sets, logit_scale=logit_scale)
        vectors = np.stack([of_class[one] for of_class, one in zip(sets[at], chosen, strict=True)])
        found[out] = logit_scale * X[out] @ vectors.T
    return found


def choose_set(
    X: FloatArray, y: IntArray, sets: Sequence[Sequence[FloatArray]], *, logit_scale: float
) -> tuple[int, IntArray, FloatArray]:
    """The set of templates with the least loss beyond chance, and within it what `choose` finds."""
    weight = 1.0 / np.bincount(y, minlength=len(sets[0]))[y]
    weight /= weight.sum()
    losses = [_losses(logit_scale * X @ np.stack([one[0] for one in candidates]).T, y) for candidates in sets]
    best = 0
    for at in range(1, len(sets)):
        lower = weight * (losses[0] - losses[at])
        enough = lower.sum() > ERRORS * np.sqrt((lower**2).sum())
        if enough and weight @ losses[at] < weight @ losses[best]:
            best = at
    return best, *choose(X, y, sets[best], logit_scale=logit_scale)
