"""Images of the training data that a training does not see: a share to watch it by, or folds to judge it by."""

from __future__ import annotations

import numpy as np

from inkling.errors import InputError
from inkling.types import BoolArray, IntArray


def held_out(labels: IntArray, *, share: float, seed: int) -> BoolArray:
    """Which images are held out, (n,): of each class the share, rounded, at least one and never all.

    Raises
    ------
    InputError
        If every class has a single image, so nothing can be held out.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    if share == 0:
        return chosen
    rng = np.random.default_rng([seed, 1])
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        n_out = min(max(1, round(share * len(members))), len(members) - 1)
        chosen[members[:n_out]] = True
    if not chosen.any():
        raise InputError(
            "Every class has one image, so none can be held out.",
            remedy="Add images, or set holdout to 0; the training then runs to its end.",
        )
    return chosen


def folds_of(labels: IntArray, *, n_folds: int, seed: int, sources: IntArray | None = None) -> IntArray:
    """Fold of each image, (n,); -1 for the only image of a class, which always stays in.

    There are never more folds than images in the median class, and none where that has a single one: then all are -1.

    Parameters
    ----------
    sources
        Which picture each image comes from, (n,): boxes in one picture share a fold. None: each is one of its own.
    """
    sizes = np.bincount(labels)
    n_folds = min(n_folds, int(np.median(sizes[sizes > 0])))
    fold = np.full(len(labels), -1)
    if n_folds < 2:
        return fold
    rng = np.random.default_rng([seed, 2])
    order = np.lexsort((rng.random(len(labels)), labels))
    order = order[sizes[labels[order]] > 1]
    fold[order] = np.arange(len(order)) % n_folds
    return fold if sources is None else _by_source(fold, labels, sources)


def _by_source(fold: IntArray, labels: IntArray, sources: IntArray) -> IntArray:
    """Folds in which each source has that of its first image; none holds out all images of a class."""
    _, first, number = np.unique(sources, return_index=True, return_inverse=True)
    shared = fold[first][number]
    whole = [label for label in np.unique(labels) if len(np.unique(shared[labels == label])) == 1]
    shared[np.isin(sources, sources[(fold < 0) | np.isin(labels, whole)])] = -1
    found, numbered = np.unique(shared, return_inverse=True)
    numbered = numbered - int((found < 0).any())
    return numbered if numbered.max() > 0 else np.full(len(fold), -1)
