"""Logistic regression, scikit-learn's: the baseline that every head has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from inkling.heads.scatter import Projection
from inkling.heads.support import Support, unit_rows
from inkling.heads.whitened import WhitenedHead
from inkling.heads.whitening import whitening
from inkling.types import FloatArray


@dataclass(eq=False, repr=False)
class LogisticHead(WhitenedHead):
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

        X = support.X
        self.mean_, self.directions_, self.gains_ = np.zeros(0), np.zeros((0, 0)), np.zeros(0)
        if self.shrinkage is not None:
            whiten = whitening(support, shrinkage=self.shrinkage)
            self._keep(whiten)
            X = unit_rows(whiten.mapped(support.projection))
        model = LogisticRegression(C=self.C, max_iter=self.max_iterations)
        model.fit(X, support.y)
        self.n_iter_ = int(np.max(model.n_iter_))
        two = support.n_classes == 2
        self.weights_ = np.concatenate([-model.coef_, model.coef_]) / 2 if two else model.coef_
        self.bias_ = np.concatenate([-model.intercept_, model.intercept_]) / 2 if two else model.intercept_

    def _prepare(self) -> None:
        super()._prepare()
        self._folded = self._whiten.folded(self.weights_) if self.mean_.size else self.weights_.T

    def project(self, X: FloatArray) -> Projection:
        """Rows with unit blocks (n, n_dims); as they are where the head does not whiten."""
        return super().project(X) if self.mean_.size else Projection(X, X[:, :0])

    def score_projected(self, rows: Projection) -> FloatArray:
        """Scores (n, n_classes) of rows."""
        z = rows.centred @ self._folded
        return cast(FloatArray, (z / self._whiten.lengths(rows) if self.mean_.size else z) + self.bias_)
