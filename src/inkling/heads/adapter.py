"""A linear map of the embedding space, held near the identity: ProLIP's twin. Fahes et al. 2024, 2410.05270.

New classes still work through their text vectors, since it is the space that is learned and not the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from inkling.heads.base import Head
from inkling.heads.checks import check_option
from inkling.heads.softmax import log_softmax, softmax
from inkling.heads.support import Support, unit_rows
from inkling.types import FloatArray, IntArray


@dataclass(eq=False, repr=False)
class AdapterHead(Head):
    """z = s norm(f M).t_k, M from the identity by Adam on cross-entropy + (1/shots) |M - I|^2.

    Without text vectors the class means take their place.

    Parameters
    ----------
    steps
        Full-batch steps.
    learning_rate
        Step size of Adam.
    """

    steps: int = 300
    learning_rate: float = 1e-3

    name: ClassVar[str] = "adapter"

    def _learn(self, support: Support) -> None:
        check_option(self.steps >= 0, "steps", self.steps, "at least 0")
        check_option(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        d = self.embedding_dims_
        X = unit_rows(support.X[:, :d]).astype(np.float64)
        self.text_ = unit_rows(support.means[:, :d]) if support.text is None else support.text
        hold = 1.0 / max(float(np.median(support.counts)), 1.0)
        self.map_ = _adam(
            np.eye(d),
            lambda M: adapter_gradient(M, X, support.y, self.text_, self.logit_scale, hold)[1],
            steps=self.steps,
            learning_rate=self.learning_rate,
        )

    def _score(self, X: FloatArray) -> FloatArray:
        return self._text_logits(unit_rows(X[:, : self.embedding_dims_]) @ self.map_, self.text_)


def adapter_gradient(
    M: FloatArray, X: FloatArray, y: IntArray, text: FloatArray, scale: float, hold: float
) -> tuple[float, FloatArray]:
    """Loss and its gradient by M, (d, d)."""
    mapped = X @ M
    lengths = np.linalg.norm(mapped, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    directions = mapped / lengths
    z = scale * directions @ text.T
    picked = np.arange(len(y)), y
    away = M - np.eye(len(M))
    loss = -log_softmax(z)[picked].mean() + hold * (away**2).sum()
    slope = softmax(z)
    slope[picked] -= 1.0
    by_direction = scale / len(y) * slope @ text
    by_mapped = (by_direction - (by_direction * directions).sum(axis=1, keepdims=True) * directions) / lengths
    return float(loss), np.asarray(X.T @ by_mapped + 2.0 * hold * away)


def _adam(
    start: FloatArray, gradient: Callable[[FloatArray], FloatArray], *, steps: int, learning_rate: float
) -> FloatArray:
    """Adam (Kingma and Ba 2015, 1412.6980) with its usual constants."""
    point, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, steps + 1):
        slope = gradient(point)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        point -= learning_rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return point
