"""The known classes as the scores see them, and images as seen from there.

Everything is closed-form, so it is refitted in milliseconds for each fold and each class that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.prototype import COSINE_SCALE
from inkling.heads.softmax import log_softmax
from inkling.heads.standardization import Standardization, standardization
from inkling.heads.support import Support, complete_support, unit_blocks, unit_rows
from inkling.types import FloatArray, IntArray
from inkling.unknown.ensembles import N_BOOTSTRAPS, N_DROPOUTS, prototype_members
from inkling.unknown.gaussians import ClassGaussians, Whitener, principal_axes, squared_distances
from inkling.unknown.local_plda import LocalPLDA
from inkling.unknown.plda import PLDA
from inkling.unknown.span import Span

COSINE_SHRINKAGE = 0.7
GAUSSIAN_SHRINKAGE = 0.3
MAX_EXEMPLARS = 10_000
"""Images that the nearest one is looked for among, evenly over the classes."""
FEW_IMAGES = 512
"""Images up to which everything is worked out again in less than half a second."""
MAX_MEMBERS_SIZE = 4_000_000
"""Numbers that an ensemble may take; with more classes it would slow every prediction."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the known classes were fitted on.

    Attributes
    ----------
    vectors
        Labelled vectors as they were handed over.
    seed
        Of the ensembles.
    """

    vectors: LabelledVectors
    seed: int


@dataclass(frozen=True, eq=False)
class Known:
    """Statistics of the known classes.

    Attributes
    ----------
    plain
        Classes in the space of unit vectors, in the coordinates of `plain_span`.
    even
        Classes where `scale` has put all dimensions on one scale, in the coordinates of `even_span`.
    exemplars
        Images to look for the nearest among, in the coordinates of `plain_span`, (m, n_coordinates).
    exemplar_classes
        Class of each, (m,); none (0,) where an earlier release kept them.
    members
        Unit class means of an ensemble, (n_members, n_classes, n_coordinates); none where they would be too large.
    text
        Unit text vectors (n_classes, d), or none (0, d).
    negatives
        Unit text vectors of names that are no known class, (m, d), or none (0, d).
    embedding_dims
        Length d of the embedding, the first columns of X.
    logit_scale
        Factor on cosines of images and texts.
    shots
        Images in the median class.
    source
        Images that all this can be worked out from again; None where there are too many.
    """

    plain: ClassGaussians
    plain_span: Span
    even: ClassGaussians
    even_span: Span
    scale: Standardization
    exemplars: FloatArray
    exemplar_classes: IntArray
    members: FloatArray
    text: FloatArray
    negatives: FloatArray
    embedding_dims: int
    logit_scale: float
    shots: float
    source: Source | None = None

    @classmethod
    def of(cls, vectors: LabelledVectors, *, negatives: FloatArray | None, seed: int) -> Known:
        """Learn from labelled vectors with blocks of unit length.

        Parameters
        ----------
        negatives
            Unit text vectors (m, d), or None.
        """
        embedding_dims, n_dims = vectors.embedding_dims, vectors.X.shape[1]
        support = complete_support(vectors.X, vectors.y, vectors.text_vectors, vectors.n_classes, embedding_dims)
        scale = standardization(support, embedding_dims=embedding_dims)
        scaled = scale.support(support)
        plain_span, even_span = Span.of(support.X), Span.of(scaled.X)
        images, scaled = replace(support, X=plain_span(support.X)), replace(scaled, X=even_span(scaled.X))
        even = ClassGaussians.of(scaled, n_dims=n_dims)
        none = np.zeros((0, embedding_dims), dtype=np.float32)
        some = evenly(support.y, limit=MAX_EXEMPLARS, seed=seed)
        return cls(
            plain=ClassGaussians.of(images, n_dims=n_dims),
            plain_span=plain_span,
            even=even,
            even_span=even_span,
            scale=scale,
            exemplars=images.X[some].astype(np.float32),
            exemplar_classes=support.y[some],
            members=_members(scaled, even.whitener(shrinkage=COSINE_SHRINKAGE), seed=seed),
            text=none if support.text is None else support.text.astype(np.float32),
            negatives=none if negatives is None else unit_rows(negatives).astype(np.float32),
            embedding_dims=embedding_dims,
            logit_scale=vectors.logit_scale,
            shots=vectors.median_shots,
        )

    def from_few(self, vectors: LabelledVectors, *, seed: int) -> Known:
        """The same with what it was fitted on, if that is no more than `FEW_IMAGES`."""
        if len(vectors) > FEW_IMAGES:
            return self
        return replace(self, source=Source(replace(vectors, fold_spaces=None), seed))

    @cached_property
    def cosine_whitener(self) -> Whitener:
        """Space in which cosines to class means are taken."""
        return self.even.whitener(shrinkage=COSINE_SHRINKAGE)

    @cached_property
    def gaussian_whitener(self) -> Whitener:
        """Space in which Mahalanobis distances are Euclidean."""
        return self.plain.whitener(shrinkage=GAUSSIAN_SHRINKAGE)

    @cached_property
    def whitened_centres(self) -> FloatArray:
        """Class means for Mahalanobis distances, (n_classes, n_coordinates)."""
        return self.gaussian_whitener(self.plain.means)

    @cached_property
    def background(self) -> tuple[FloatArray, FloatArray, float]:
        """Axes (n_coordinates, r) along which whitened class means differ, their variance (r,), and that off the axes.

        The covariance of the means is shrunk as that within classes is.
        """
        axes, squares = principal_axes(self.whitened_centres)
        between = squares / len(self.whitened_centres)
        even = GAUSSIAN_SHRINKAGE * float(between.sum()) / self.plain.n_dims
        return axes, (1.0 - GAUSSIAN_SHRINKAGE) * between + even, even

    @cached_property
    def unit_means(self) -> FloatArray:
        """Class means of unit length, (n_classes, n_coordinates)."""
        return unit_rows(self.plain.means)

    @cached_property
    def prototypes(self) -> FloatArray:
        """Whitened class means of unit length, (n_classes, n_coordinates)."""
        return unit_rows(self.cosine_whitener(self.even.means))

    @cached_property
    def gaussian_head(self) -> tuple[Whitener, FloatArray]:
        """Whitener by S_w + tr(S_w)/n I, as the `gda` head has it, and the class means in its space."""
        share = self.even.n_dims / (self.even.n_dims + self.even.degrees)
        whiten = self.even.whitener(shrinkage=share)
        whiten = replace(whiten, scale=whiten.scale * (1.0 - share) ** 0.5)
        return whiten, whiten(self.even.means)

    @cached_property
    def plain_plda(self) -> PLDA:
        """PLDA in the space of unit vectors."""
        return PLDA.of(self.plain)

    @cached_property
    def even_plda(self) -> PLDA:
        """PLDA where all dimensions are on one scale."""
        return PLDA.of(self.even)

    @cached_property
    def local_plda(self) -> LocalPLDA:
        """PLDA with covariances of the classes' own, where all dimensions are on one scale."""
        images = self.even_span(self.scale(self.plain_span.back(self.exemplars)))
        return LocalPLDA.of(self.even_plda, self.even.means, images, self.exemplar_classes)


class Images:
    """Images as seen from the known classes; what several scores need is worked out once.

    Parameters
    ----------
    known
        The known classes.
    X
        Vectors (n, n_dims), embedding and feature.
    """

    def __init__(self, known: Known, X: FloatArray) -> None:
        self.known = known
        self.vectors = unit_blocks(X, known.embedding_dims)

    @cached_property
    def plain(self) -> FloatArray:
        """Coordinates of the unit vectors, (n, n_coordinates)."""
        return self.known.plain_span(self.vectors)

    @cached_property
    def even(self) -> FloatArray:
        """Coordinates with all dimensions on one scale, (n, n_coordinates)."""
        return self.known.even_span(self.known.scale(self.vectors))

    @cached_property
    def whitened(self) -> FloatArray:
        """Unit vectors in the space of whitened cosines, (n, n_coordinates)."""
        return unit_rows(self.known.cosine_whitener(self.even))

    @cached_property
    def mean_cosines(self) -> FloatArray:
        """Cosine to each class mean, (n, n_classes)."""
        return cast(FloatArray, self.plain @ self.known.unit_means.T)

    @cached_property
    def whitened_cosines(self) -> FloatArray:
        """Cosine to each class mean in the whitened space, (n, n_classes)."""
        return cast(FloatArray, self.whitened @ self.known.prototypes.T)

    @cached_property
    def distances(self) -> FloatArray:
        """Squared Mahalanobis distance to each class, (n, n_classes)."""
        return squared_distances(self.gaussian, self.known.whitened_centres)

    @cached_property
    def gaussian(self) -> FloatArray:
        """Images in the space of Mahalanobis distances, (n, n_coordinates)."""
        return self.known.gaussian_whitener(self.plain)

    @cached_property
    def unit_embeddings(self) -> FloatArray:
        """Embeddings of unit length, (n, d)."""
        return unit_rows(self.vectors[:, : self.known.embedding_dims])

    @cached_property
    def text_cosines(self) -> FloatArray:
        """Cosine to the text vector of each class, (n, n_classes)."""
        return cast(FloatArray, self.unit_embeddings @ self.known.text.T)

    @cached_property
    def logits(self) -> FloatArray:
        """Class scores z of closed-form heads together: Gaussian, whitened cosines and, with texts, zero-shot."""
        whiten, means = self.known.gaussian_head
        z = whiten(self.even) @ means.T - 0.5 * (means**2).sum(axis=1) + COSINE_SCALE * self.whitened_cosines
        if len(self.known.text):
            z = z + self.known.logit_scale * self.text_cosines
        return cast(FloatArray, z.astype(np.float64))

    @cached_property
    def log_p(self) -> FloatArray:
        """Log-probabilities of the classes, (n, n_classes)."""
        return log_softmax(self.logits)


def evenly(y: IntArray, *, limit: int, seed: int) -> IntArray:
    """Rows, sorted, at most `limit` of them: each class gives as many as the others as long as it has them."""
    if len(y) <= limit:
        return np.arange(len(y))
    order = np.lexsort((np.random.default_rng(seed).random(len(y)), y))
    counts = np.bincount(y)
    rank = np.empty(len(y), dtype=np.int64)
    rank[order] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.sort(np.argsort(rank, kind="stable")[:limit]))


def _members(images: Support, whiten: Whitener, *, seed: int) -> FloatArray:
    n_classes, n_dims = images.n_classes, images.X.shape[1]
    if (N_BOOTSTRAPS + N_DROPOUTS) * n_classes * n_dims > MAX_MEMBERS_SIZE:
        return np.zeros((0, n_classes, n_dims), dtype=np.float32)
    return prototype_members(unit_rows(whiten(images.X)), images.y, n_classes, seed=seed)
