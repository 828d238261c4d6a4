"""Labelled vectors, checked, and fits of the known classes on parts of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkling.errors import InputError
from inkling.heads.checks import check_classes_known, check_option, check_widths
from inkling.heads.evidence import grouped_folds
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.out_of_fold import shots_of
from inkling.heads.support import has_text, unit_blocks
from inkling.types import BoolArray, FloatArray, IntArray
from inkling.unknown.known_classes import Known, evenly

MAX_IMAGES = 10_000
"""Images that the statistics are of, evenly over the classes; more change them little and take their time."""
MAX_JUDGED = 600
"""Images that one fit judges of either kind."""


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled vectors, and how to fit the known classes on a part of them.

    Attributes
    ----------
    X, y
        Vectors with blocks of unit length (n, n_dims), and the class index of each (n,).
    sources
        Which source image each row is a view of, (n,).
    text
        Text vectors (n_classes, d), NaN where a class has none; or None.
    negatives
        Text vectors of names that are no known class, (m, d); or None.
    n_classes, embedding_dims, logit_scale, seed
        As `Known.of` takes them.
    spaces
        The images and classes as encoders see them that were tuned without some of the images; None where the encoder
        was not tuned on them.
    """

    X: FloatArray
    y: IntArray
    sources: IntArray
    text: FloatArray | None
    negatives: FloatArray | None
    n_classes: int
    embedding_dims: int
    logit_scale: float
    seed: int
    spaces: FoldSpaces | None = None

    @classmethod
    def of(
        cls,
        X: FloatArray,
        y: IntArray,
        *,
        sources: IntArray | None,
        text: FloatArray | None,
        negatives: FloatArray | None,
        n_classes: int | None,
        embedding_dims: int | None,
        logit_scale: float,
        seed: int,
        fold_spaces: FoldSpaces | None = None,
    ) -> Task:
        """Check the arrays, and take of many images a sample; the parameters are those of `UnknownDetector.fit`.

        Raises
        ------
        InputError
            If the arrays do not fit together.
        """
        X, y = np.asarray(X), np.asarray(y)
        check_option(logit_scale > 0, "logit_scale", logit_scale, "above 0")
        if X.ndim != 2 or not np.isfinite(X).all():
            raise InputError(f"X must be finite vectors (n, n_dims), got {X.shape}.", remedy="Leave out rows with NaN.")
        if not len(y) or y.shape != (len(X),) or not np.issubdtype(y.dtype, np.integer) or y.min() < 0:
            raise InputError(f"y must be the class index of each of the {len(X)} rows, got {y.dtype} {y.shape}.")
        text = None if text is None else np.asarray(text, dtype=np.float64)
        n_known = int(y.max()) + 1
        total = n_classes or (n_known if text is None else len(text))
        if n_known > total or (text is not None and len(text) != total):
            told = "none" if text is None else len(text)
            raise InputError(
                f"y names {n_known} classes, of {total}; text vectors: {told}.",
                remedy="Give one row of text vectors a class, NaN where it has none.",
            )
        width = embedding_dims or (X.shape[1] if text is None else text.shape[1])
        check_widths(X.shape[1], width, text)
        check_widths(X.shape[1], width, negatives)
        check_classes_known((np.bincount(y, minlength=total) > 0) | _named(text, total), range(total))
        sources = np.arange(len(y)) if sources is None else np.asarray(sources)
        rows = evenly(y, limit=MAX_IMAGES, seed=seed)
        vectors = unit_blocks(X[rows], width)
        spaces = None if fold_spaces is None else _fitting(fold_spaces, X.shape, total).only(rows)
        return cls(vectors, y[rows], sources[rows], text, negatives, total, width, logit_scale, seed, spaces)

    def fit(self, rows: BoolArray, *, without: BoolArray | None = None) -> Known:
        """Known classes from some rows; `without` (n_classes,) are not among them."""
        kept = np.ones(self.n_classes, dtype=bool) if without is None else ~without
        rows = rows & kept[self.y]
        column = np.cumsum(kept) - 1
        shots = shots_of(self.y[rows], self.sources[rows], self.n_classes)
        return Known.of(
            self.X[rows],
            column[self.y[rows]],
            text=None if self.text is None else self.text[kept],
            negatives=self.negatives,
            n_classes=int(kept.sum()),
            embedding_dims=self.embedding_dims,
            logit_scale=self.logit_scale,
            shots=float(np.median(shots[shots > 0])),
            seed=self.seed,
        )

    def held_out(self, n_folds: int) -> list[tuple[Task, BoolArray]]:
        """Rows (n,) to be judged by a fit on the others, in at most so many rounds, and the vectors to do it with.

        They are those of the task, or where its encoder knows the images, those of an encoder that was tuned without
        the rows. Names that are no known class have no vectors there.
        """
        if self.spaces is None:
            fold = self.folds(n_folds)
            return [(self, fold == held) for held in range(n_folds)]
        fold, n_folds = self.spaces.fold, min(n_folds, self.spaces.n_folds)
        return [(self._in_space(self.spaces, held), fold == held) for held in range(n_folds)]

    def folds(self, n_folds: int) -> IntArray:
        """Fold of each row, (n,); -1 for images that always stay in, since nothing else tells of their class."""
        fold = grouped_folds(self.y, self.sources, n_folds=n_folds, seed=self.seed)
        named = _named(self.text, self.n_classes)
        pairs = np.unique(np.stack([self.y, fold]), axis=1)
        alone = np.bincount(pairs[0], minlength=self.n_classes) < 2
        stays = (alone & ~named)[self.y]
        fold[np.isin(self.sources, self.sources[stays])] = -1
        return fold

    def judged(self, rows: BoolArray) -> BoolArray:
        """Some of the rows to judge: one of each image, whatever its views, and not too many."""
        first = np.zeros(len(self.y), dtype=bool)
        first[np.unique(self.sources, return_index=True)[1]] = True
        found = np.flatnonzero(rows & first)
        chosen = np.zeros(len(self.y), dtype=bool)
        chosen[found[evenly(self.y[found], limit=MAX_JUDGED, seed=self.seed)]] = True
        return chosen

    def _in_space(self, spaces: FoldSpaces, held: int) -> Task:
        vectors = unit_blocks(spaces.images[held], self.embedding_dims)
        return replace(self, X=vectors, text=spaces.classes[held], negatives=None, spaces=None)


def _fitting(spaces: FoldSpaces, shape: tuple[int, ...], n_classes: int) -> FoldSpaces:
    """The spaces, if they are of these images and classes."""
    (n, width), n_folds = shape, spaces.n_folds
    found = spaces.fold.shape, spaces.images.shape, spaces.classes.shape
    if found != ((n,), (n_folds, n, width), (n_folds, n_classes, width)):
        raise InputError(
            f"The fold spaces must be of {n} images and {n_classes} classes in {width} dimensions, got folds, images "
            f"and classes of {', '.join(map(str, found))}."
        )
    return spaces


def _named(text: FloatArray | None, n_classes: int) -> BoolArray:
    """Which classes have a text vector, (n_classes,)."""
    return np.zeros(n_classes, dtype=bool) if text is None else has_text(text)
