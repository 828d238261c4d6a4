"""Logistic regression, scikit-learn's: the baseline that every head has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import few_images_a_class
from inkling.heads.support import Support
from inkling.heads.whitening import Whitening, whitening
from inkling.types import FloatArray


@dataclass(eq=False, repr=False)
class LogisticHead(Head):
    """Multinomial logistic regression on unit vectors; text vectors serve only classes that have no image.

    Parameters
    ----------
    shrinkage
        Whiten first, with this share of the identity in the covariance (`PrototypeHead`); None leaves vectors as
        they are.
    C
        Inverse of the L2 penalty.
    max_iterations
        Steps of L-BFGS.
    """

    shrinkage: float | None = None
    C: float = 10.0
    max_iterations: int = 1000

    name: ClassVar[str] = "logistic"

    def _learn(self, support: Support) -> None:
        from sklearn.linear_model import LogisticRegression

        self.mean_, self.directions_, self.gains_ = self._space(support)
        model = LogisticRegression(C=self.C, max_iter=self.max_iterations)
        with few_images_a_class():
            model.fit(self._mapped(support.X), support.y)
        self.n_iter_ = int(np.max(model.n_iter_))
        two = support.n_classes == 2
        self.weights_ = np.concatenate([-model.coef_, model.coef_]) / 2 if two else model.coef_
        self.bias_ = np.concatenate([-model.intercept_, model.intercept_]) / 2 if two else model.intercept_

    def _score(self, X: FloatArray) -> FloatArray:
        return np.asarray(self._mapped(X) @ self.weights_.T + self.bias_)

    def _space(self, support: Support) -> tuple[FloatArray, FloatArray, FloatArray]:
        if self.shrinkage is None:
            return np.zeros(0), np.zeros((0, 0)), np.zeros(0)
        whiten = whitening(support, shrinkage=self.shrinkage)
        return whiten.mean, whiten.directions, whiten.gains

    def _mapped(self, X: FloatArray) -> FloatArray:
        return Whitening(self.mean_, self.directions_, self.gains_)(X) if self.mean_.size else X
