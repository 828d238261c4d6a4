"""Tip-Adapter: the support set as a cache of keys and labels beside zero-shot. Zhang et al. 2022, 2207.09519."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.support import Support
from inkling.types import FloatArray


@dataclass(eq=False, repr=False)
class CacheHead(Head):
    """z = s f.t_k + a sum over examples i of class k of exp(-b (1 - f.x_i)).

    Parameters
    ----------
    alpha
        Weight a of the cache.
    beta
        Sharpness b: how fast the weight of an example falls with its distance.
    """

    alpha: float = 1.0
    beta: float = 5.5

    name: ClassVar[str] = "cache"

    def _learn(self, support: Support) -> None:
        check_option(self.alpha >= 0, "alpha", self.alpha, "at least 0")
        check_option(self.beta > 0, "beta", self.beta, "above 0")
        self.keys_ = support.X
        self.values_ = np.eye(support.n_classes, dtype=support.X.dtype)[support.y]
        self.text_ = np.zeros((0, self.embedding_dims_)) if support.text is None else support.text

    def _score(self, X: FloatArray) -> FloatArray:
        cached = self.alpha * np.exp(-self.beta * (1.0 - X @ self.keys_.T)) @ self.values_
        return cast(FloatArray, cached + self._text_logits(X, self.text_) if len(self.text_) else cached)
