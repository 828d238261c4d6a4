"""Gaussian discriminant analysis with one shrunk covariance, beside zero-shot. Wang et al. 2024, 2402.04087."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.support import Support
from inkling.types import FloatArray

PUBLISHED_ALPHA = {1: 0.01, 2: 0.1, 4: 1.0, 8: 1.0, 16: 10.0}
"""Best weight of the image side by shots, as published; between them the nearest smaller number of shots counts."""
MIN_RIDGE = 1e-6
"""Where images of a class are copies of each other there is no scatter; unit vectors leave no less than this."""


@dataclass(eq=False, repr=False)
class GDAHead(Head):
    """z = s f.t_k + a (W_k.f + b_k), with P = d [(n-1) S + tr(S) I]^-1, W_k = P m_k, b_k = -m_k' P m_k / 2.

    Classes count as equally likely: how many images were collected of a class says little about how often it comes.

    Parameters
    ----------
    alpha
        Weight a of the image side; None takes the published value for the number of shots. Without text vectors it
        scales all scores alike, and None is 1.
    posterior
        Leave out the factor d/(n-1) that the published P has against the inverse of the shrunk covariance. Scores are
        then log-probabilities of the Gaussian model, whose scale does not fall as images are added.
    """

    alpha: float | None = None
    posterior: bool = False

    name: ClassVar[str] = "gda"

    def _learn(self, support: Support) -> None:
        scatter = support.scatter
        means = support.means
        n, d = support.n_examples, support.n_dims
        ridge = max(scatter.trace / max(n - 1, 1), MIN_RIDGE)
        along = means @ scatter.directions
        shrink = 1.0 / (scatter.eigenvalues + ridge) - 1.0 / ridge
        scale = max(n - 1, 1) if self.posterior else d
        self.weights_ = scale * (means / ridge + (along * shrink) @ scatter.directions.T)
        self.bias_ = -0.5 * (self.weights_ * means).sum(axis=1)
        self.text_ = np.zeros((0, self.embedding_dims_)) if support.text is None else support.text
        self.alpha_ = self._alpha(support)

    def _score(self, X: FloatArray) -> FloatArray:
        image_side = self.alpha_ * (X @ self.weights_.T + self.bias_)
        return cast(FloatArray, image_side + self._text_logits(X, self.text_) if len(self.text_) else image_side)

    def _alpha(self, support: Support) -> float:
        if self.alpha is not None:
            check_option(self.alpha >= 0, "alpha", self.alpha, "at least 0")
            return self.alpha
        if support.text is None:
            return 1.0
        shots = max(int(np.median(support.counts)), 1)
        return PUBLISHED_ALPHA[max(known for known in PUBLISHED_ALPHA if known <= shots)]
