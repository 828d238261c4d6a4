"""Tasks with known and unknown classes, drawn so that everything about them is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown.task import Task
from tests.heads.samples import draw_task, unit

DIMS = 24


@dataclass(frozen=True, eq=False)
class OpenTask:
    """Support of the known classes, and images some of which are of other classes."""

    X: FloatArray
    y: IntArray
    text: FloatArray | None
    test_X: FloatArray
    unknown: BoolArray

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1

    def vectors(self, rows: BoolArray | IntArray | None = None, **options: Any) -> LabelledVectors:
        """All classes, with all of the images or some of them."""
        kept = np.arange(len(self.y)) if rows is None else rows
        given = {"classes": range(self.n_classes), "text_vectors": self.text, "logit_scale": 20.0, **options}
        return LabelledVectors.of(self.X[kept], self.y[kept], **given)

    def task(
        self,
        *,
        seed: int = 0,
        sources: IntArray | None = None,
        negatives: FloatArray | None = None,
        fold_spaces: FoldSpaces | None = None,
    ) -> Task:
        vectors = self.vectors(sources=sources).with_fold_spaces(fold_spaces)
        return Task.of(vectors, negatives=negatives, seed=seed)


def open_task(
    seed: int = 0,
    *,
    n_classes: int = 6,
    n_unknown: int = 4,
    shots: int = 8,
    text_noise: float | None = None,
    spread: float = 0.8,
    n_test: int = 400,
) -> OpenTask:
    """Known classes and others, around random centres; see `draw_task`."""
    drawn = draw_task(
        seed,
        n_classes=n_classes + n_unknown,
        shots=shots,
        dims=DIMS,
        spread=spread,
        text_noise=text_noise,
        n_test=n_test,
    )
    rows = drawn.y < n_classes
    text = None if drawn.text is None else drawn.text[:n_classes]
    return OpenTask(drawn.X[rows], drawn.y[rows], text, drawn.test_X, drawn.test_y >= n_classes)


@dataclass(frozen=True, eq=False)
class Tuned:
    """A task as tuned encoders see it: each draws the images that it was tuned on towards their class."""

    X: FloatArray
    spaces: FoldSpaces
    task: OpenTask

    def vectors(self, *, spaces: FoldSpaces | None = None) -> LabelledVectors:
        """By the encoder that was tuned on all images."""
        return replace(self.task, X=self.X).vectors().with_fold_spaces(spaces)


def tuned_task(seed: int = 0, *, n_folds: int = 4, pull: float = 0.5, **options: object) -> Tuned:
    """An open task; `pull` is the share of the way to its class that an image goes which an encoder was tuned on."""
    drawn = open_task(seed, text_noise=0.5, **options)
    assert drawn.text is not None
    fold = np.random.default_rng(seed).permutation(len(drawn.y)) % n_folds
    centres = np.stack([drawn.X[drawn.y == k].mean(axis=0) for k in range(drawn.n_classes)])

    def seen(rows: BoolArray) -> FloatArray:
        return unit(np.where(rows[:, None], (1 - pull) * drawn.X + pull * centres[drawn.y], drawn.X))

    images = np.stack([seen(fold != held) for held in range(n_folds)])
    texts = np.stack([unit(drawn.text + 0.01 * held) for held in range(n_folds)])
    return Tuned(seen(fold >= 0), FoldSpaces(fold, images, texts), drawn)
