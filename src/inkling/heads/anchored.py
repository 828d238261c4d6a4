"""A linear probe that starts at the text vectors and is held there (CLAP). Silva-Rodriguez et al. 2024, 2312.12730."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.softmax import log_softmax, softmax
from inkling.heads.support import Support, unit_rows
from inkling.types import FloatArray, IntArray


@dataclass(eq=False, repr=False)
class AnchoredHead(Head):
    """Cosine logits z_k = s cos(f, w_k) from w_k = t_k: cross-entropy + (1/K) sum_k l_k |w_k - t_k|^2.

    l_k is the mean zero-shot probability of class k on its own support, so a class that its text describes well is held
    more firmly. Without text vectors the class means are the anchors.

    Parameters
    ----------
    max_iterations
        Steps of L-BFGS.
    """

    max_iterations: int = 100

    name: ClassVar[str] = "anchored"

    def _learn(self, support: Support) -> None:
        from scipy.optimize import minimize

        check_option(self.max_iterations >= 1, "max_iterations", self.max_iterations, "at least 1")
        d = self.embedding_dims_
        X, y = unit_rows(support.X[:, :d]).astype(np.float64), support.y
        anchors = unit_rows(support.means[:, :d]) if support.text is None else support.text
        own = softmax(self.logit_scale * X @ anchors.T)[np.arange(len(y)), y]
        strength = np.bincount(y, own, support.n_classes) / np.maximum(support.counts, 1)
        found = minimize(
            lambda w: anchored_loss(w.reshape(anchors.shape), X, y, anchors, strength, self.logit_scale),
            anchors.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iterations},
        )
        self.n_iter_ = int(found.nit)
        self.weights_ = unit_rows(found.x.reshape(anchors.shape))

    def _score(self, X: FloatArray) -> FloatArray:
        return self._text_logits(X, self.weights_)


def anchored_loss(
    w: FloatArray, X: FloatArray, y: IntArray, anchors: FloatArray, strength: FloatArray, scale: float
) -> tuple[float, FloatArray]:
    """Loss and its gradient by w, flat (n_classes * d,)."""
    n, n_classes = len(y), len(w)
    lengths = np.linalg.norm(w, axis=1, keepdims=True)
    directions = w / lengths
    z = scale * X @ directions.T
    picked = np.arange(n), y
    loss = -log_softmax(z)[picked].mean() + (strength[:, None] * (w - anchors) ** 2).sum() / n_classes
    slope = softmax(z)
    slope[picked] -= 1.0
    by_direction = scale / n * slope.T @ X
    by_w = (by_direction - (by_direction * directions).sum(axis=1, keepdims=True) * directions) / lengths
    return float(loss), np.asarray(by_w + 2.0 / n_classes * strength[:, None] * (w - anchors)).ravel()
