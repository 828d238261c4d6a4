"""Rows to draw from and rows that measure, and how many images an order needs, for the benchmarks of the advice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from feature_tasks import FEATURES
from inkling.advising.typicality import typical
from inkling.heads import PrototypeHead
from inkling.heads.calibration import apply_temperature, fit_temperature
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

FILES = {
    "Caltech-100": "caltech101",
    "Flowers": "oxford_flowers",
    "Pets": "oxford_pets",
    "UCF-51": "ucf101_half",
    "Cars": "stanford_cars",
}
TARGET_SHOTS = 8
BATCHES_A_SHOT = 2
FOLD_SEED = 0

Order = Callable[[LabelledVectors, FloatArray, FloatArray, int, int], IntArray]
"""Rows to label next, by what is labelled, vectors and probabilities of the rest, how many, and a seed."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows to draw from, and rows that measure."""

    X: FloatArray
    y: IntArray
    test_X: FloatArray
    test_y: IntArray
    n_classes: int

    def vectors(self, rows: IntArray) -> LabelledVectors:
        """Some rows with their labels; classes without a row are not known."""
        return LabelledVectors.of(self.X[rows], self.y[rows])

    def prototypes(self, rows: IntArray) -> tuple[PrototypeHead, float]:
        """Prototypes that learned from some rows, and their top-1 on the rows that measure."""
        head = PrototypeHead().fit(self.X[rows], self.y[rows])
        return head, float((head.predict(self.test_X) == self.test_y).mean())

    def balanced_top1(self, fitted: FittedHead) -> float:
        """Top-1 on the rows that measure with all classes of one weight, as in a support set of so many shots."""
        right = np.asarray(fitted.classes)[fitted.logits(self.test_X).argmax(axis=1)] == self.test_y
        return float(np.mean([right[self.test_y == k].mean() for k in np.unique(self.test_y)]))

    def mixed(self) -> Parts:
        """All rows to draw from."""
        X, y = np.concatenate([self.X, self.test_X]), np.concatenate([self.y, self.test_y])
        return replace(self, X=X, y=y)

    def measured_on_the_rest(self, rows: IntArray) -> Parts:
        """With all rows but these as those that measure."""
        rest = np.setdiff1d(np.arange(len(self.y)), rows)
        return replace(self, test_X=self.X[rest], test_y=self.y[rest])

    def only(self, rows: IntArray) -> Parts:
        """These rows to draw from, and all others as those that measure."""
        return replace(self.measured_on_the_rest(rows), X=self.X[rows], y=self.y[rows])

    def shots(self, n: int, rng: np.random.Generator) -> IntArray:
        """So many rows of each class, or all that it has."""
        of_class = (rng.permutation(np.flatnonzero(self.y == k))[:n] for k in range(self.n_classes))
        return np.concatenate(list(of_class))

    def share(self, share: float, rng: np.random.Generator) -> IntArray:
        """This share of the rows of each class."""
        of_class = [rng.permutation(np.flatnonzero(self.y == k)) for k in range(self.n_classes)]
        return np.concatenate([rows[: round(share * len(rows))] for rows in of_class])

    def target(self, seeds: range) -> float:
        """Mean top-1 of prototypes with so many random shots a class."""
        supports = [self.shots(TARGET_SHOTS, np.random.default_rng(seed)) for seed in seeds]
        return float(np.mean([self.prototypes(rows)[1] for rows in supports]))


def reported(name: str, *, pool: str = "val") -> Parts:
    """Rows of a part of a set to draw from, and those of its test part to measure."""
    return Parts(*_rows(name, pool), *_rows(name, "test"), _n_classes(name))


def never_reported(name: str) -> Parts:
    """Rows of the training and the validation part together, and none that measure."""
    drawn = [_rows(name, part) for part in ("train16", "val")]
    X, y = (np.concatenate(arrays) for arrays in zip(*drawn, strict=True))
    return Parts(X, y, X[:0], y[:0], _n_classes(name))


def images_needed(parts: Parts, target: float, order: Order | None, *, few_shots: int, seed: int) -> float:
    """Labelled images until prototypes reach a top-1, between batches by straight line; random order by default.

    All where the pool does not suffice. Orders begin with typical images.
    """
    rng = np.random.default_rng(seed)
    at_random, labelled = rng.permutation(len(parts.y)), np.zeros(0, dtype=np.int64)
    batch, before = parts.n_classes // BATCHES_A_SHOT, (0, 0.0)
    head: PrototypeHead | None = None
    while len(labelled) < len(parts.y):
        left = at_random[~np.isin(at_random, labelled)]
        if order is None:
            new = left[:batch]
        elif head is None:
            new = left[typical(parts.X[left], parts.X[:0], batch, seed=seed)[0]]
        else:
            vectors = parts.vectors(labelled)
            p = apply_temperature(head.logits(parts.X[left]), _temperature(vectors, few_shots))
            new = left[order(vectors, parts.X[left], p, batch, seed)]
        labelled = np.concatenate([labelled, new])
        head, top1 = parts.prototypes(labelled)
        if top1 >= target:
            return float(np.interp(target, [before[1], top1], [before[0], len(labelled)]))
        before = (len(labelled), top1)
    return float(len(parts.y))


def _temperature(vectors: LabelledVectors, few_shots: int) -> float:
    """By halves that the head did not see; 1 where there are too few images, and typical ones are chosen."""
    if vectors.median_shots < few_shots:
        return 1.0
    out = np.random.default_rng(FOLD_SEED).random(len(vectors)) < 0.5
    kept = vectors.only(~out)
    seen = np.isin(vectors.y, kept.y)
    head = PrototypeHead(classes=np.unique(kept.y)).fit(kept.X, kept.y)
    judged = out & seen
    return fit_temperature(head.logits(vectors.X[judged]), np.searchsorted(head.classes_, vectors.y[judged]))


def _rows(name: str, part: str) -> tuple[FloatArray, IntArray]:
    """None where a set has no such part."""
    with np.load(FEATURES / f"{FILES[name]}.npz") as arrays:
        there = part if f"{part}_x" in arrays.files else "test"
        stop = None if there == part else 0
        return unit_rows(arrays[f"{there}_x"][:stop].astype(np.float64)), arrays[f"{there}_y"][:stop]


def _n_classes(name: str) -> int:
    with np.load(FEATURES / f"{FILES[name]}.npz") as arrays:
        return len(arrays["class_names"])
