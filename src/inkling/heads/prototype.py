"""Nearest class mean by cosine, in a space whitened by the within-class covariance.

Snell et al. 2017, 1703.05175 (prototypes); whitening makes directions in which images of one class differ count less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from inkling.heads.checks import check_option
from inkling.heads.scatter import Projection
from inkling.heads.shrunk_means import shrunk_means
from inkling.heads.support import Support, unit_rows
from inkling.heads.whitened import WhitenedHead
from inkling.heads.whitening import noise_variance, whitening
from inkling.types import FloatArray, IntArray

COSINE_SCALE = 18.0
"""Factor on cosines to a class mean: near the best temperature over data sets and shots, on validation images."""


@dataclass(eq=False, repr=False)
class PrototypeHead(WhitenedHead):
    """z_k = 18 cos(L(f - mean), L(m_k - mean)) with L'L the inverse of the shrunk within-class covariance.

    Parameters
    ----------
    shrinkage
        Share l of the identity in the covariance, in (0, 1]; 1 is the plain nearest mean of centred vectors. None:
        0.95 with one image a class, where only the class means tell of a covariance, 0.5 from four on.
    text_pseudo_shots
        Weight of the text vector, carried across the modality gap, in the class mean, in images.
    shrink_means
        Draw the class means towards each other as far as few images leave them uncertain (`shrunk_means`); for a
        shrinkage below 1.
    """

    shrinkage: float | None = None
    text_pseudo_shots: float = 0.0
    shrink_means: bool = False

    name: ClassVar[str] = "prototype"

    def _learn(self, support: Support) -> None:
        check_option(self.text_pseudo_shots >= 0, "text_pseudo_shots", self.text_pseudo_shots, "at least 0")
        shrinkage = self._shrinkage(support)
        whiten = whitening(support, shrinkage=shrinkage)
        means = support.means
        if support.text is not None and self.text_pseudo_shots > 0:
            means = self._towards_text(means, support.counts, support.text)
        self._keep(whiten)
        mapped = whiten.linear(means)
        if self.shrink_means:
            mapped = shrunk_means(mapped, support.counts, noise=noise_variance(support, shrinkage=shrinkage))
        self.prototypes_ = unit_rows(mapped)

    def _prepare(self) -> None:
        super()._prepare()
        self._folded = COSINE_SCALE * self._whiten.folded(self.prototypes_)

    def score_projected(self, rows: Projection) -> FloatArray:
        """Scores (n, n_classes) of rows."""
        return cast(FloatArray, rows.centred @ self._folded / self._whiten.lengths(rows))

    def _shrinkage(self, support: Support) -> float:
        if self.shrinkage is not None:
            return self.shrinkage
        return float(np.interp(np.median(support.counts), [1, 2, 4], [0.95, 0.9, 0.5]))

    def _towards_text(self, means: FloatArray, counts: IntArray, text: FloatArray) -> FloatArray:
        d = self.embedding_dims_
        gap = (unit_rows(means[:, :d]) - text).mean(axis=0)
        carried = means.copy()
        carried[:, :d] = unit_rows(text + gap) * np.linalg.norm(means[:, :d], axis=1, keepdims=True)
        total = counts[:, None] + self.text_pseudo_shots
        return np.asarray((counts[:, None] * means + self.text_pseudo_shots * carried) / total)
