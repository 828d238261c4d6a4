"""Labelled vectors, checked once: what heads, detectors and discovery are fitted on. Arrays only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.errors import InputError
from inkling.heads.checks import check_classes_known, check_option, check_widths, name_some
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.support import has_text, shots_of, unit_blocks
from inkling.types import BoolArray, FloatArray, IntArray

NO_CLASS = -1
"""Column of a label that is missing, or names no class."""


@dataclass(frozen=True, eq=False)
class LabelledVectors:
    """Vectors of labelled images, and the classes that the labels name.

    Attributes
    ----------
    X
        Vectors (n, d + f): the embedding, and after it the feature, if any.
    y
        Column of each image's class, (n,).
    classes
        Labels of the columns.
    sources
        Which source image each row is a view of, (n,).
    text_vectors
        (n_classes, d), NaN where a class has none; or None.
    embedding_dims
        Length d of the embedding.
    logit_scale
        Factor on cosines of images and texts.
    fold_spaces
        Where the encoder was tuned on the images: their vectors by encoders that were tuned without some of them.
    unlabelled
        Vectors (n_unlabelled, d + f) of images without a label that `auto` may learn from too; None: there are none.

    Examples
    --------
    >>> import numpy as np
    >>> vectors = LabelledVectors.of(np.eye(3), ["bee", "ant", "bee"])
    >>> vectors.classes, vectors.y.tolist()
    (('ant', 'bee'), [1, 0, 1])
    """

    X: FloatArray
    y: IntArray
    classes: tuple[Any, ...]
    sources: IntArray
    text_vectors: FloatArray | None
    embedding_dims: int
    logit_scale: float
    fold_spaces: FoldSpaces | None = None
    unlabelled: FloatArray | None = None

    @classmethod
    def of(
        cls,
        X: FloatArray,
        labels: Iterable[Any],
        *,
        classes: Sequence[Any] | None = None,
        sources: IntArray | None = None,
        text_vectors: FloatArray | None = None,
        embedding_dims: int | None = None,
        logit_scale: float = 100.0,
    ) -> LabelledVectors:
        """Check vectors and labels, and find the column of each label.

        Parameters
        ----------
        labels
            Label of each row.
        classes
            Labels in the order of the columns, those without an image among them. None: the labels met, sorted.
        sources
            None: each row is an image of its own.
        embedding_dims
            None: length of the text vectors, else all columns.

        Raises
        ------
        InputError
            If the arrays do not fit together, a number is not finite, or of a class neither image nor text is known.
        """
        X = np.asarray(X)
        check_option(logit_scale > 0, "logit_scale", logit_scale, "above 0")
        if X.ndim != 2 or X.dtype.kind not in "fiu" or not np.isfinite(X).all():
            raise InputError(f"X must be finite vectors (n, n_dims), got {X.shape}.", remedy="Leave out rows with NaN.")
        labels = _listed(labels)
        if not labels or len(labels) != len(X):
            raise InputError(f"Each of the {len(X)} vectors needs one label, got {len(labels)} labels.")
        columns = tuple(sorted(set(labels)) if classes is None else classes)
        text = _text_vectors(text_vectors, len(columns))
        width = embedding_dims or (X.shape[1] if text is None else text.shape[1])
        check_widths(X.shape[1], width, text)
        if sources is not None and np.shape(sources) != (len(X),):
            raise InputError(f"Each of the {len(X)} vectors needs one source, got sources {np.shape(sources)}.")
        found = cls(
            X=X,
            y=_known_columns(labels, columns),
            classes=columns,
            sources=np.arange(len(X)) if sources is None else np.asarray(sources),
            text_vectors=text,
            embedding_dims=width,
            logit_scale=logit_scale,
        )
        check_classes_known((found.counts > 0) | found.has_text, columns)
        return found

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_classes(self) -> int:
        """Number of classes, those without an image among them."""
        return len(self.classes)

    @property
    def head_options(self) -> dict[str, Any]:
        """What a head that learns from these vectors is made with, whatever its kind."""
        return {
            "text_vectors": self.text_vectors,
            "classes": list(range(self.n_classes)),
            "logit_scale": self.logit_scale,
            "embedding_dims": self.embedding_dims,
        }

    @property
    def embeddings(self) -> FloatArray:
        """The vectors in the space of images and texts, (n, d)."""
        return self.X[:, : self.embedding_dims]

    @property
    def counts(self) -> IntArray:
        """Rows of each class, (n_classes,)."""
        return np.bincount(self.y, minlength=self.n_classes)

    @property
    def shots(self) -> IntArray:
        """Different source images of each class, (n_classes,); views of one image count once."""
        return shots_of(self.y, self.sources, self.n_classes)

    @property
    def median_shots(self) -> float:
        """Different source images of the median class that has any."""
        shots = self.shots
        return float(np.median(shots[shots > 0]))

    @property
    def has_text(self) -> BoolArray:
        """Which classes have a text vector, (n_classes,)."""
        return np.zeros(self.n_classes, dtype=bool) if self.text_vectors is None else has_text(self.text_vectors)

    def with_fold_spaces(self, spaces: FoldSpaces | None) -> LabelledVectors:
        """The same images and classes as encoders see them that were tuned without some of the images.

        Raises
        ------
        InputError
            If the spaces are of other images or classes.
        """
        return replace(self, fold_spaces=None if spaces is None else _fitting(spaces, self.X.shape, self.n_classes))

    def only(self, rows: IntArray | BoolArray) -> LabelledVectors:
        """Some of the rows; the classes stay."""
        kept: IntArray = np.arange(len(self))[rows]
        spaces = None if self.fold_spaces is None else self.fold_spaces.only(kept)
        return replace(self, X=self.X[kept], y=self.y[kept], sources=self.sources[kept], fold_spaces=spaces)

    def without_classes(self, left_out: BoolArray) -> LabelledVectors:
        """Without some classes (n_classes,) and their images, in the space of the encoder as it is."""
        kept = ~left_out
        rows = kept[self.y]
        return replace(
            self,
            X=self.X[rows],
            y=(np.cumsum(kept) - 1)[self.y[rows]],
            classes=tuple(label for label, stays in zip(self.classes, kept, strict=True) if stays),
            sources=self.sources[rows],
            text_vectors=None if self.text_vectors is None else self.text_vectors[kept],
            fold_spaces=None,
        )

    def with_unit_blocks(self) -> LabelledVectors:
        """Embedding and feature each at one length, and the rows at unit length."""
        return replace(self, X=unit_blocks(self.X, self.embedding_dims))

    def in_fold_space(self, fold: int) -> LabelledVectors:
        """Images and classes as the encoder sees them that was tuned without the images of a fold."""
        spaces = self.fold_spaces
        assert spaces is not None
        vectors = unit_blocks(spaces.images[fold], self.embedding_dims)
        return replace(self, X=vectors, text_vectors=spaces.classes[fold], fold_spaces=None)


def columns_of(labels: Iterable[Any], classes: Sequence[Any]) -> IntArray:
    """Column of each label among the classes, (n,); `NO_CLASS` where a label is missing or names none of them."""
    column = {label: k for k, label in enumerate(classes)}
    return np.array([column.get(label, NO_CLASS) for label in _listed(labels)], dtype=np.int64)


def _known_columns(labels: Sequence[Any], classes: Sequence[Any]) -> IntArray:
    y = columns_of(labels, classes)
    unexpected = sorted({str(label) for label, k in zip(labels, y, strict=True) if k == NO_CLASS})
    if unexpected:
        raise InputError(
            f"Labels that are none of the {len(classes)} classes: {name_some(unexpected)}.",
            remedy="Add them to the classes, with a row of NaN in the text vectors where there is no text.",
        )
    return y


def _listed(labels: Iterable[Any]) -> list[Any]:
    """As Python values, so that equal labels are equal keys."""
    return labels.tolist() if isinstance(labels, np.ndarray) else list(labels)


def _text_vectors(text_vectors: FloatArray | None, n_classes: int) -> FloatArray | None:
    if text_vectors is None:
        return None
    text = np.asarray(text_vectors, dtype=np.float64)
    if text.ndim != 2 or len(text) != n_classes or np.isinf(text).any():
        raise InputError(
            f"There must be one finite row of text vectors for each of the {n_classes} classes, got {text.shape}.",
            remedy="Give one row of text vectors a class, NaN where it has none.",
        )
    return text


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
