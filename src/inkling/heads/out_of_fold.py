"""Logits of images that a head did not see: what calibration and every honest comparison rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.heads.base import Head
from inkling.heads.evidence import grouped_folds
from inkling.heads.support import has_text, shots_of
from inkling.types import BoolArray, FloatArray, IntArray

MAX_FOLDS = 5
MAX_SCORES = 1_000_000
"""Bound on images x classes that serve as evidence: more changes no choice and costs memory."""
MIN_EVIDENCE = 2_000
"""Images that serve as evidence all the same."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Scores of images held out.

    Attributes
    ----------
    rows
        Which rows of X they are, (n,); empty where nothing could be held out.
    logits
        (n, n_classes).
    """

    rows: IntArray
    logits: FloatArray


def evidence_folds(
    y: IntArray,
    sources: IntArray,
    named: BoolArray,
    *,
    seed: int,
    n_folds: int = MAX_FOLDS,
    limit: int | None = None,
) -> IntArray:
    """Fold of each image, (n,); -1 for those that always stay in, since nothing else tells of their class.

    There are never more folds than images in the median class, and none at all with one image in it. Of many images
    a sample serves, from as few folds as it takes.

    Parameters
    ----------
    y, sources
        Class index and source image of each row.
    named
        Which classes have a text vector, and so can lose all their images, (n_classes,).
    limit
        Sources that serve at most; None: as many as evidence takes.
    """
    folds = number_of_folds(y, sources, len(named), n_folds=n_folds)
    if folds < 2:
        return np.full(len(y), -1)
    fold = grouped_folds(y, sources, n_folds=folds, seed=seed)
    stays = ~named[y] & (_folds_of_class(y, fold, len(named)) < 2)[y]
    fold[np.isin(sources, sources[stays])] = -1
    most = max(MAX_SCORES // len(named), MIN_EVIDENCE) if limit is None else limit
    return _within_limit(fold, sources, limit=most, seed=seed)


def number_of_folds(y: IntArray, sources: IntArray, n_classes: int, *, n_folds: int = MAX_FOLDS) -> int:
    """Folds that images are held out in: no more than images in the median class; 1 where nothing can be held out."""
    shots = shots_of(y, sources, n_classes)
    median = np.median(shots[shots > 0])
    return 1 if median < 2 else int(np.clip(median, 2, n_folds))


def _folds_of_class(y: IntArray, fold: IntArray, n_classes: int) -> IntArray:
    """How many folds have images of a class, (n_classes,). Holding out the only one would leave nothing of it."""
    pairs = np.unique(np.stack([y, fold]), axis=1)
    return np.bincount(pairs[0], minlength=n_classes)


def _within_limit(fold: IntArray, sources: IntArray, *, limit: int, seed: int) -> IntArray:
    """Hold out fold after fold, up to so many sources; so each class keeps in fitting what the folds leave it."""
    ids, first = np.unique(sources, return_index=True)
    order = np.lexsort((np.random.default_rng(seed).random(len(ids)), fold[first]))
    held_out = order[fold[first][order] >= 0][:limit]
    return np.where(np.isin(sources, ids[held_out]), fold, -1)


def out_of_fold(head: Head, X: FloatArray, y: IntArray, sources: IntArray, *, seed: int) -> OutOfFold:
    """Logits of a head, fitted anew for each fold on the other folds.

    Parameters
    ----------
    head
        Unfitted, its `classes` set.
    X, y
        Vectors (n, n_dims), and for each the index of its class in the sorted classes.
    sources
        Which source image each row is a view of; views of one image are held out together.
    """
    classes = np.asarray(head.classes)
    text = None if head.text_vectors is None else np.asarray(head.text_vectors)
    named = np.zeros(len(classes), dtype=bool) if text is None else has_text(text)
    fold = evidence_folds(y, sources, named, seed=seed)
    rows = np.flatnonzero(fold >= 0)
    logits = np.zeros((len(rows), len(classes)))  # of those that serve as evidence: all, times classes, fit no memory
    for held in np.unique(fold[rows]):
        out = fold == held
        logits[fold[rows] == held] = head.unfitted().fit(X[~out], classes[y[~out]]).logits(X[out])
    return OutOfFold(rows, logits)
