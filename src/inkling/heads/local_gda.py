"""Gaussian discriminant analysis that looks closer where it hesitates: at the images of the likeliest classes alone.

Images of a cat differ in other ways than images of a dog, so the scatter pooled over all classes fits none of them
well, and a class has too few images for a scatter of its own. Between the two lies the scatter of the classes that
an image may belong to, drawn towards the pooled one (Friedman 1989 for the shrinkage; Hastie and Tibshirani 1996 for
a metric of the neighbourhood).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, ClassVar, cast

import numpy as np

from inkling.heads.checks import check_option
from inkling.heads.neighbourhood import Correction, Neighbourhood
from inkling.heads.scatter import Projection
from inkling.heads.shrunk_means import shrunk_means
from inkling.heads.softmax import softmax
from inkling.heads.support import Support
from inkling.heads.whitened import WhitenedHead
from inkling.heads.whitening import noise_variance, whitening
from inkling.types import BoolArray, FloatArray, IntArray

RIDGE = 3.0
"""Of the pooled covariance: three times the identity that Wang et al. 2024 add, the best on validation images."""
MAX_IMAGES = 32
"""Images of a class whose scatter is kept: more tell little that is new, and each costs time for every image scored."""


@dataclass(eq=False, repr=False)
class LocalGDAHead(WhitenedHead):
    """z_k = w_k.f - m_k' A^-1 m_k / 2, w_k = A^-1 m_k, in the space where the pooled covariance is the identity.

    For the likeliest classes of an image, A = (v I + sum R_k'R_k) / (v + sum (n_k - 1)) over their residuals R_k, the
    posterior mean of a covariance whose prior is the pooled one. For the others A = I, and for all where that leaves
    no doubt. Means are `shrunk_means`. It learns from images alone.

    Parameters
    ----------
    n_candidates
        How many classes are likeliest.
    prior_images
        Worth v of the pooled covariance, in images.
    sure
        Probability of a class with A = I above which there is no doubt; 1 looks closer at every image.
    """

    n_candidates: int = 5
    prior_images: float = 100.0
    sure: float = 1.0

    name: ClassVar[str] = "local-gda"

    def _learn(self, support: Support) -> None:
        check_option(self.n_candidates >= 2, "n_candidates", self.n_candidates, "at least 2")
        check_option(self.prior_images > 0, "prior_images", self.prior_images, "above 0")
        check_option(0 < self.sure <= 1, "sure", self.sure, "above 0 and at most 1")
        ridge = RIDGE * support.n_dims
        shrinkage = ridge / (ridge + max(support.degrees, 1))
        whiten = whitening(support, shrinkage=shrinkage)
        self._keep(whiten)
        self.deviation_ = float(np.sqrt(noise_variance(support, shrinkage=shrinkage)))
        means = whiten.linear(support.means) / self.deviation_
        self.means_ = shrunk_means(means, support.counts, noise=1.0)
        kept = _spread_rows(support.y[: support.n_real], limit=MAX_IMAGES)
        self.residual_class_ = support.y[kept]
        along = whiten.mapped_along(support.projection)[kept] / self.deviation_
        self.residuals_ = along - (means @ self.directions_)[self.residual_class_]
        n_kept = np.bincount(self.residual_class_, minlength=support.n_classes)
        self.degrees_ = n_kept * (1.0 - 1.0 / support.counts)

    def _prepare(self) -> None:
        super()._prepare()
        self._folded = self._whiten.folded(self.means_) / self.deviation_
        self._squares = (self.means_**2).sum(axis=1)
        self._neighbourhood = Neighbourhood.of(
            self.residuals_,
            self.residual_class_,
            means=self.means_ @ self.directions_,
            degrees=self.degrees_,
            prior_images=self.prior_images,
        )

    def score_projected(self, rows: Projection) -> FloatArray:
        """Scores (n, n_classes) of rows."""
        products = rows.centred @ self._folded
        z = products - 0.5 * self._squares
        return where_in_doubt(z, softmax(z).max(axis=1) <= self.sure, rows, products, self)

    def along(self, rows: Projection) -> FloatArray:
        """Rows in the coordinates of the residuals, (n, r)."""
        return self._whiten.mapped_along(rows) / self.deviation_

    def closer(self, found: Correction, likeliest: IntArray, products: FloatArray, z: FloatArray) -> FloatArray:
        """Scores of the likeliest classes (n, n_candidates), on the level that theirs among z (n, n_classes) have."""
        near = np.take_along_axis(products, likeliest, axis=1)
        squares = np.take_along_axis(self._squares[None], likeliest, axis=1)
        closer = found.growth * (near - found.read - 0.5 * (squares - found.explained))
        pooled = np.take_along_axis(z, likeliest, axis=1)
        return cast(FloatArray, closer + (pooled - closer).mean(axis=1, keepdims=True))

    @property
    def neighbourhood(self) -> Neighbourhood:
        """Residuals of all classes."""
        return self._neighbourhood


@singledispatch
def where_in_doubt(
    z: Any, in_doubt: BoolArray, rows: Projection, products: FloatArray, head: LocalGDAHead
) -> FloatArray:
    """Scores z (n, n_classes), of rows in doubt (n,) with those of their likeliest classes found anew.

    Parameters
    ----------
    z
        An array; other kinds of arrays than numpy's may have a form of their own, found by this.
    products
        Of the rows with the class means, (n, n_classes).
    """
    hesitant = np.flatnonzero(in_doubt)
    if not len(hesitant):
        return cast(FloatArray, z)
    products, doubtful = products[hesitant], z[hesitant]
    n_candidates = min(head.n_candidates, z.shape[1])
    likeliest = np.sort(np.argpartition(-doubtful, n_candidates - 1, axis=1)[:, :n_candidates], axis=1)
    found = head.neighbourhood.look(head.along(rows.only(hesitant)), likeliest)
    closer = head.closer(found, likeliest, products, doubtful)
    np.put_along_axis(doubtful, likeliest, closer.astype(z.dtype), axis=1)
    z[hesitant] = doubtful
    return cast(FloatArray, z)


def _spread_rows(y: IntArray, *, limit: int) -> IntArray:
    """Rows of at most so many images of each class, evenly spread over those there are."""
    rows = [np.flatnonzero(y == k) for k in np.unique(y)]
    return np.concatenate([one[np.linspace(0, len(one) - 1, min(len(one), limit)).astype(np.int64)] for one in rows])
