"""How often each image is named wrongly by heads that learned from fewer images than there are. Arrays only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import BoolArray, FloatArray, IntArray

SHARES = (0.125, 0.25, 0.5)
"""Of the images of each class, for points of the learning curve."""
LARGEST_FOLDS = 5
"""Nearly all images of a class are left by a fold of so many."""
MOST_IMAGES = 4_000
"""Images that the curve is measured on: more change it by less than its interval."""

Scores = Callable[[LabelledVectors, FloatArray], FloatArray]
"""Logits (m, n_classes) of vectors (m, n_dims) by a head that learned from labelled vectors."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Errors of heads that learned from part of the images.

    Attributes
    ----------
    shots
        Mean images a class that they learned from, rising, (n_sizes,).
    errors
        How often each image that was left out got a wrong label, (n, n_sizes); NaN where it was never left out.
    y
        Class of each image, (n,).
    full
        Mean images a class of all.
    """

    shots: FloatArray
    errors: FloatArray
    y: IntArray
    full: float


def measure(vectors: LabelledVectors, scores: Scores, *, draws: int, seed: int) -> Measured | None:
    """Subsample, fit and count errors on what was left out; None where no class has two images.

    Parameters
    ----------
    vectors
        Views of one source are drawn or left out together.
    draws
        Divisions of the images at each size.
    """
    vectors = _not_too_many(vectors, seed=seed)
    _, first = np.unique(vectors.sources, return_index=True)
    of_class = vectors.y[first]
    counts = np.bincount(of_class, minlength=vectors.n_classes)
    if counts.max() < 2:
        return None
    rng = np.random.default_rng(seed)
    found: dict[float, list[tuple[FloatArray, BoolArray]]] = {}
    for _ in range(draws):
        for share, kept in _divisions(of_class, counts, rng):
            found.setdefault(share, []).append((_errors(vectors, scores, first, kept), ~kept))
    shares = sorted(found)
    errors = np.full((len(first), len(shares)), np.nan)
    shots = np.zeros(len(shares))
    for at, share in enumerate(shares):
        wrong, out = (np.array(part) for part in zip(*found[share], strict=True))
        times = out.sum(axis=0)
        np.divide((wrong * out).sum(axis=0), times, out=errors[:, at], where=times > 0)
        shots[at] = (~out).sum() / len(out) / np.count_nonzero(counts)
    return Measured(shots, errors, of_class, float(counts[counts > 0].mean()))


def _not_too_many(vectors: LabelledVectors, *, seed: int) -> LabelledVectors:
    sources = np.unique(vectors.sources)
    if len(sources) <= MOST_IMAGES:
        return vectors
    kept = np.random.default_rng(seed).choice(sources, MOST_IMAGES, replace=False)
    return vectors.only(np.isin(vectors.sources, kept))


def _divisions(y: IntArray, counts: IntArray, rng: np.random.Generator) -> Iterator[tuple[float, BoolArray]]:
    """Which images are learned from: shares of each class, and all but each fifth. A class keeps one at least."""
    rank = np.empty(len(y), dtype=np.int64)
    order = rng.permutation(len(y))
    for k in np.flatnonzero(counts):
        rank[order[y[order] == k]] = np.arange(counts[k])
    of_class = counts[y]
    sizes: set[int] = set()
    for share in SHARES:
        kept = rank < np.maximum(np.rint(share * of_class), 1)
        if kept.sum() not in sizes and not kept.all():
            sizes.add(int(kept.sum()))
            yield share, kept
    folds = int(min(LARGEST_FOLDS, np.median(counts[counts > 1])))
    if folds > 2:  # two are halves, which are there
        for fold in range(folds):
            yield 1.0, (rank % folds != fold) | (of_class < 2)


def _errors(vectors: LabelledVectors, scores: Scores, first: IntArray, kept: BoolArray) -> FloatArray:
    """Which images are named wrongly by a head that learned from those that are kept, (n,)."""
    of_source = np.searchsorted(vectors.sources[first], vectors.sources)
    wrong = np.zeros(len(first))
    out = np.flatnonzero(~kept)
    found = scores(vectors.only(kept[of_source]), vectors.X[first[out]])
    wrong[out] = found.argmax(axis=1) != vectors.y[first[out]]
    return wrong
