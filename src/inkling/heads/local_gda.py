"""Gaussian discriminant analysis that looks closer where it hesitates: at the images of the likeliest classes alone.

Images of a cat differ in other ways than images of a dog, so the scatter pooled over all classes fits none of them
well, and a class has too few images for a scatter of its own. Between the two lies the scatter of the classes that
an image may belong to, drawn towards the pooled one (Friedman 1989 for the shrinkage; Hastie and Tibshirani 1996 for
a metric of the neighbourhood).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.shrunk_means import shrunk_means
from inkling.heads.support import Support
from inkling.heads.whitening import Whitening, noise_variance, whitening
from inkling.types import FloatArray, IntArray

RIDGE = 3.0
"""Of the pooled covariance: three times the identity that Wang et al. 2024 add, the best on validation images."""
MAX_IMAGES = 32
"""Images of a class whose scatter is kept: more tell little that is new, and each costs time for every image scored."""


@dataclass(eq=False, repr=False)
class LocalGDAHead(Head):
    """z_k = w_k.f - m_k' A^-1 m_k / 2, w_k = A^-1 m_k, in the space where the pooled covariance is the identity.

    For the likeliest classes of an image, A = (v I + sum R_k'R_k) / (v + sum (n_k - 1)) over their residuals R_k, the
    posterior mean of a covariance whose prior is the pooled one. For the others A = I. Means are `shrunk_means`. It
    learns from images alone.

    Parameters
    ----------
    n_candidates
        How many classes are likeliest.
    prior_images
        Worth v of the pooled covariance, in images.
    """

    n_candidates: int = 5
    prior_images: float = 100.0

    name: ClassVar[str] = "local-gda"

    def _learn(self, support: Support) -> None:
        check_option(self.n_candidates >= 2, "n_candidates", self.n_candidates, "at least 2")
        check_option(self.prior_images > 0, "prior_images", self.prior_images, "above 0")
        ridge = RIDGE * support.n_dims
        shrinkage = ridge / (ridge + max(support.degrees, 1))
        whiten = whitening(support, shrinkage=shrinkage)
        self.mean_, self.directions_, self.gains_ = whiten.mean, whiten.directions, whiten.gains
        self.deviation_ = float(np.sqrt(noise_variance(support, shrinkage=shrinkage)))
        self.means_ = shrunk_means(self._white(support.means), support.counts, noise=1.0)
        kept = _spread_rows(support.y[: support.n_real], limit=MAX_IMAGES)
        self.residual_class_ = support.y[kept]
        away = self._white(support.X[kept]) - self._white(support.means)[self.residual_class_]
        self.residuals_ = away @ self.directions_
        n_kept = np.bincount(self.residual_class_, minlength=support.n_classes)
        self.degrees_ = n_kept * (1.0 - 1.0 / support.counts)

    def _score(self, X: FloatArray) -> FloatArray:
        white = self._white(X)
        z = _gaussian_scores(white @ self.means_.T, (self.means_**2).sum(axis=1))
        n_candidates = min(self.n_candidates, z.shape[1])
        likeliest = np.sort(np.argpartition(-z, n_candidates - 1, axis=1)[:, :n_candidates], axis=1)
        along, means_along = white @ self.directions_, self.means_ @ self.directions_
        for candidates, rows in _alike(likeliest):
            block = np.ix_(rows, candidates)
            z[block] = self._closer(candidates, white[rows], along[rows], means_along[candidates], z[block])
        return z

    def _closer(
        self, candidates: IntArray, white: FloatArray, along: FloatArray, means_along: FloatArray, z: FloatArray
    ) -> FloatArray:
        """Scores z (n, n_candidates) by the covariance of the candidates; their mean stays that of all classes."""
        residuals = self.residuals_[np.isin(self.residual_class_, candidates)]
        means = self.means_[candidates]
        inner = residuals @ residuals.T + self.prior_images * np.eye(len(residuals))
        read = residuals @ means_along.T
        solved = np.linalg.solve(inner, read)
        growth = 1.0 + self.degrees_[candidates].sum() / self.prior_images
        products = growth * (white @ means.T - along @ residuals.T @ solved)
        closer = _gaussian_scores(products, growth * ((means**2).sum(axis=1) - (read * solved).sum(axis=0)))
        return np.asarray(closer + (z - closer).mean(axis=1, keepdims=True))

    def _white(self, X: FloatArray) -> FloatArray:
        """X where the pooled covariance is the identity."""
        return Whitening(self.mean_, self.directions_, self.gains_).linear(X) / self.deviation_


def _gaussian_scores(products: FloatArray, lengths: FloatArray) -> FloatArray:
    """Log-densities but for what all classes share: x' A^-1 m_k - m_k' A^-1 m_k / 2."""
    return np.asarray(products - 0.5 * lengths)


def _alike(likeliest: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Each set of candidates, and the rows that have it."""
    sets, which = np.unique(likeliest, axis=0, return_inverse=True)
    which = which.ravel()
    order = np.argsort(which, kind="stable")
    yield from zip(sets, np.split(order, np.cumsum(np.bincount(which))[:-1]), strict=True)


def _spread_rows(y: IntArray, *, limit: int) -> IntArray:
    """Rows of at most so many images of each class, evenly spread over those there are."""
    rows = [np.flatnonzero(y == k) for k in np.unique(y)]
    return np.concatenate([one[np.linspace(0, len(one) - 1, min(len(one), limit)).astype(np.int64)] for one in rows])
