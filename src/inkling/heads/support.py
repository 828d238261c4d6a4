"""The support set as heads read it: every class with at least one example and, where texts are known, a text vector.

Images and texts of CLIP-like encoders lie in two cones of one sphere, apart by a nearly constant vector, the modality
gap (Liang et al. 2022, 2203.02053). A class that lacks one side gets a stand-in carried across the gap from the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from inkling.heads.scatter import Projection, Scatter, class_means, within_class_scatter
from inkling.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Support:
    """Examples and text vectors of the classes, complete.

    Attributes
    ----------
    X
        Examples with blocks of unit length, (n, n_dims); stand-ins of classes without images come last.
    y
        Class index of each example, (n,).
    n_real
        Number of examples that are images; the rest are stand-ins.
    text
        Unit text vectors (n_classes, d), or None where no class has one.
    """

    X: FloatArray
    y: IntArray
    n_real: int
    n_classes: int
    text: FloatArray | None

    @property
    def n_examples(self) -> int:
        """Images and stand-ins."""
        return len(self.X)

    @property
    def n_dims(self) -> int:
        """Length of an example."""
        return int(self.X.shape[1])

    @cached_property
    def means(self) -> FloatArray:
        """Class means m_k, (n_classes, n_dims)."""
        return class_means(self.X, self.y, self.n_classes)

    @cached_property
    def scatter(self) -> Scatter:
        """Scatter of the images within their classes; worked out once for all heads that ask."""
        return within_class_scatter(self.X[: self.n_real], self.y[: self.n_real], self.means)

    @cached_property
    def projection(self) -> Projection:
        """The examples seen from the mean of the class means, and along the scatter's directions."""
        return Projection.of(self.X, self.means.mean(axis=0).astype(self.X.dtype), self.scatter.directions)

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the scatter: examples beyond the first of each class."""
        return self.n_examples - self.n_classes

    @property
    def counts(self) -> IntArray:
        """Examples of each class, (n_classes,)."""
        return np.bincount(self.y, minlength=self.n_classes)


def unit_rows(X: FloatArray) -> FloatArray:
    """Rows scaled to unit length; rows of zeros stay zeros."""
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    return cast(FloatArray, X / np.where(lengths > 0, lengths, 1.0))


def unit_blocks(X: FloatArray, embedding_dims: int) -> FloatArray:
    """Embedding and feature each scaled to unit length, then the row to unit length."""
    if embedding_dims == X.shape[1]:
        return unit_rows(X)
    blocks = [unit_rows(X[:, :embedding_dims]), unit_rows(X[:, embedding_dims:])]
    return cast(FloatArray, np.hstack(blocks) / np.sqrt(2.0))


def has_text(text: FloatArray) -> BoolArray:
    """Which rows are text vectors, and which the NaN or zeros of a class without one, (n_classes,)."""
    return np.asarray(np.linalg.norm(text, axis=1) > 0)


def shots_of(y: IntArray, sources: IntArray, n_classes: int) -> IntArray:
    """Sources of each class, (n_classes,): views of an image are one, a day of several classes one for each."""
    different, source = np.unique(sources, return_inverse=True)
    pairs = np.unique(y * len(different) + source)
    return np.bincount(pairs // max(len(different), 1), minlength=n_classes)


def complete_support(
    X: FloatArray, y: IntArray, text: FloatArray | None, n_classes: int, embedding_dims: int
) -> Support:
    """Fill in what a class lacks: a text vector from its images, or an example from its text vector.

    Each class must have one of the two.
    """
    if text is None or not has_text(text).any():
        return Support(X, y, len(X), n_classes, None)
    share = np.linalg.norm(X[:, :embedding_dims], axis=1).mean()
    sides = both_sides(class_means(X[:, :embedding_dims], y, n_classes), text, overall=X.mean(axis=0), share=share)
    stand_ins = sides.stand_ins.astype(X.dtype)
    examples = np.concatenate([X, stand_ins]), np.concatenate([y, sides.absent])
    return Support(*examples, len(X), n_classes, sides.text)


@dataclass(frozen=True, eq=False)
class BothSides:
    """What classes get that lack a side.

    Attributes
    ----------
    text
        Unit text vectors of all classes, (n_classes, d).
    absent
        Classes without an image, (n_absent,).
    stand_ins
        An example for each of them, (n_absent, n_dims).
    """

    text: FloatArray
    absent: IntArray
    stand_ins: FloatArray


def both_sides(means: FloatArray, text: FloatArray, *, overall: FloatArray, share: float) -> BothSides:
    """Carry what a class has across the modality gap.

    Parameters
    ----------
    means
        Class means of the embeddings, (n_classes, d), NaN where a class has no image.
    text
        Text vectors (n_classes, d), NaN where a class has none.
    overall
        Mean of all examples, (n_dims,).
    share
        Length of the embedding within an example.
    """
    d = text.shape[1]
    means, seen, named = unit_rows(means), ~np.isnan(means[:, 0]), has_text(text)
    gap = _modality_gap(means, text, seen, named)
    text = np.where(named[:, None], unit_rows(text), unit_rows(means - gap))
    absent = np.flatnonzero(~seen)
    stand_ins = np.tile(overall, (len(absent), 1))
    stand_ins[:, :d] = share * unit_rows(text[absent] + gap)
    return BothSides(text, absent, stand_ins)


def _modality_gap(means: FloatArray, text: FloatArray, seen: BoolArray, named: BoolArray) -> FloatArray:
    """Mean image vector less mean text vector, over classes that have both where there are any."""
    both = seen & named
    if both.any():
        return np.asarray((means[both] - unit_rows(text[both])).mean(axis=0))
    return np.asarray(means[seen].mean(axis=0) - unit_rows(text[named]).mean(axis=0))
