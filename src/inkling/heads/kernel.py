"""Kernel ridge regression of what zero-shot leaves over (ProKeR). Bendou et al. 2025, 2501.11175."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from inkling.errors import InputError
from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.support import Support
from inkling.heads.whitening import Whitening, whitening
from inkling.types import FloatArray

MAX_EXAMPLES = 20_000
RESIDUAL_SCALE = 10.0
"""Scores are regressed on 0 and 1; this factor makes them logits where no text gives the scale."""


@dataclass(eq=False, repr=False)
class KernelHead(Head):
    """z = s f.t_k + (s/s') k(f, X) A with A = (K + l I)^-1 (Y - s' X T').

    k(f, x) = exp(-b (1 - cos)) on whitened vectors; s' fits zero-shot cosines to one-hot labels by least squares.

    Parameters
    ----------
    regularization
        Ridge l; None takes that of 0.01, 0.1, 1 with the least leave-one-out error, A_i / [(K + l I)^-1]_ii.
    beta
        Sharpness b of the kernel.
    shrinkage
        Share of the identity in the whitening, see `PrototypeHead`.
    """

    regularization: float | None = None
    beta: float = 3.0
    shrinkage: float = 0.6

    name: ClassVar[str] = "kernel"

    def _learn(self, support: Support) -> None:
        if len(support.X) > MAX_EXAMPLES:
            raise InputError(
                f"The kernel head takes up to {MAX_EXAMPLES:,} examples, got {len(support.X):,}.",
                remedy="Use 'gda' or 'prototype', whose cost grows with the number of classes.",
            )
        check_option(self.beta > 0, "beta", self.beta, "above 0")
        whiten = whitening(support, shrinkage=self.shrinkage)
        self.mean_, self.directions_, self.gains_ = whiten.mean, whiten.directions, whiten.gains
        self.keys_ = whiten(support.X)
        Y = np.eye(support.n_classes)[support.y] - 1.0 / support.n_classes
        self.text_ = np.zeros((0, self.embedding_dims_)) if support.text is None else support.text
        residual, self.scale_ = Y, RESIDUAL_SCALE
        if support.text is not None:
            cosines = self._text_logits(support.X, support.text) / self.logit_scale
            cosines -= cosines.mean(axis=1, keepdims=True)
            fit = max(float((Y * cosines).sum() / (cosines**2).sum()), 1e-3)
            residual, self.scale_ = Y - fit * cosines, self.logit_scale / fit
        self.coefficients_ = self._solve(self._kernel(self.keys_), residual)

    def _score(self, X: FloatArray) -> FloatArray:
        keys = Whitening(self.mean_, self.directions_, self.gains_)(X)
        z = self.scale_ * self._kernel(keys) @ self.coefficients_
        return cast(FloatArray, z + self._text_logits(X, self.text_) if len(self.text_) else z)

    def _kernel(self, X: FloatArray) -> FloatArray:
        return cast(FloatArray, np.exp(-self.beta * (1.0 - X @ self.keys_.T)))

    def _solve(self, K: FloatArray, Y: FloatArray) -> FloatArray:
        from scipy.linalg import cho_factor, cho_solve

        if self.regularization is not None:
            check_option(self.regularization > 0, "regularization", self.regularization, "above 0")
            return np.asarray(cho_solve(cho_factor(K + self.regularization * np.eye(len(K))), Y))
        return min((_ridge(K, Y, ridge) for ridge in (0.01, 0.1, 1.0)), key=lambda found: found[1])[0]


def _ridge(K: FloatArray, Y: FloatArray, ridge: float) -> tuple[FloatArray, float]:
    """Coefficients, and their mean squared leave-one-out error."""
    from scipy.linalg import cho_factor, cho_solve

    identity = np.eye(len(K))
    inverse = cho_solve(cho_factor(K + ridge * identity), identity)
    A = inverse @ Y
    return A, float(((A / np.diag(inverse)[:, None]) ** 2).mean())
