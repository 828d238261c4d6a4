"""Fits of the known classes on parts of the labelled vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkling.heads.checks import check_widths
from inkling.heads.evidence import grouped_folds
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown.known_classes import Known, evenly

MAX_IMAGES = 10_000
"""Images that the statistics are of, evenly over the classes; more change them little and take their time."""
OF_A_CLASS = 4
"""Images of each class all the same, where there are so many classes: of one alone, none can be held out."""
MAX_JUDGED = 600
"""Images that one fit judges of either kind."""


def images_looked_at(n_classes: int) -> int:
    """Images that the statistics of so many classes are of, at most."""
    return max(MAX_IMAGES, OF_A_CLASS * n_classes)


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled vectors, and how to fit the known classes on a part of them.

    Attributes
    ----------
    vectors
        With blocks of unit length.
    negatives
        Text vectors of names that are no known class, (m, d); or None.
    seed
        Draws folds, samples and ensembles.
    """

    vectors: LabelledVectors
    negatives: FloatArray | None
    seed: int

    @classmethod
    def of(cls, vectors: LabelledVectors, *, negatives: FloatArray | None = None, seed: int = 0) -> Task:
        """Take of many images a sample.

        Raises
        ------
        InputError
            If the negatives are of another length than the embeddings.
        """
        check_widths(vectors.X.shape[1], vectors.embedding_dims, negatives)
        rows = evenly(vectors.y, limit=images_looked_at(vectors.n_classes), seed=seed)
        return cls(vectors.only(rows).with_unit_blocks(), negatives, seed)

    @property
    def X(self) -> FloatArray:
        """Vectors with blocks of unit length (n, n_dims)."""
        return self.vectors.X

    @property
    def y(self) -> IntArray:
        """Class index of each, (n,)."""
        return self.vectors.y

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.vectors.n_classes

    @property
    def spaces(self) -> FoldSpaces | None:
        """The images and classes as encoders see them that were tuned without some of the images."""
        return self.vectors.fold_spaces

    def fit(self, rows: BoolArray, *, without: BoolArray | None = None) -> Known:
        """Known classes from some rows; `without` (n_classes,) are not among them."""
        part = self.vectors.only(rows)
        if without is not None:
            part = part.without_classes(without)
        return Known.of(part, negatives=self.negatives, seed=self.seed)

    def held_out(self, n_folds: int) -> list[tuple[Task, BoolArray]]:
        """Rows (n,) to be judged by a fit on the others, in at most so many rounds, and the vectors to do it with.

        They are those of the task, or where its encoder knows the images, those of an encoder that was tuned without
        the rows. Names that are no known class have no vectors there.
        """
        if self.spaces is None:
            fold = self.folds(n_folds)
            return [(self, fold == held) for held in range(n_folds)]
        fold, n_folds = self.spaces.fold, min(n_folds, self.spaces.n_folds)
        return [(self._in_space(held), fold == held) for held in range(n_folds)]

    def folds(self, n_folds: int) -> IntArray:
        """Fold of each row, (n,); -1 for images that always stay in, since nothing else tells of their class.

        Where all images are of one source, none is left to learn from without it.
        """
        sources = self.vectors.sources
        fold = grouped_folds(self.y, sources, n_folds=n_folds, seed=self.seed)
        pairs = np.unique(np.stack([self.y, fold]), axis=1)
        alone = np.bincount(pairs[0], minlength=self.n_classes) < 2
        stays = (alone & ~self.vectors.has_text)[self.y]
        fold[np.isin(sources, sources[stays])] = -1
        return fold if len(np.unique(fold)) > 1 else np.full_like(fold, -1)

    def judged(self, rows: BoolArray) -> BoolArray:
        """Some of the rows to judge: one of each image, whatever its views, and not too many."""
        first = np.zeros(len(self.y), dtype=bool)
        first[np.unique(self.vectors.sources, return_index=True)[1]] = True
        found = np.flatnonzero(rows & first)
        chosen = np.zeros(len(self.y), dtype=bool)
        chosen[found[evenly(self.y[found], limit=MAX_JUDGED, seed=self.seed)]] = True
        return chosen

    def _in_space(self, held: int) -> Task:
        return replace(self, vectors=self.vectors.in_fold_space(held), negatives=None)
