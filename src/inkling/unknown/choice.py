"""Which scores are fused and how much each weighs, and what is to be expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.heads.conformal import Slack
from inkling.types import FloatArray
from inkling.unknown.fusion import Evidence


@dataclass(frozen=True, eq=False)
class Choice:
    """Weights of scores, with what they rest on.

    Attributes
    ----------
    names, weights
        Scores, and the weight of each (n_scores,), their sum 1.
    singles
        For each score its AUROC on classes left out in turn: mean, worst, and the class of the worst.
    fused
        The same of the fusion, nested: a class judges no weights that it had a say in; and as `low` and `high` where
        the mean of as many classes lies that were never known, which memories of earlier releases lack. None where
        nothing was left out, and all scores count alike.
    """

    names: tuple[str, ...]
    weights: FloatArray
    singles: Mapping[str, Mapping[str, Any]]
    fused: Mapping[str, Any] | None

    @classmethod
    def of(
        cls, names: tuple[str, ...], evidence: Evidence | None, slack: Slack | None = None, *, gained: float = 0.0
    ) -> Choice:
        """Weights by the evidence; equal ones without.

        Parameters
        ----------
        slack
            How known images to come may differ from those held out; None: not at all.
        gained
            Deviations by which the fusion scores them lower in any case.
        """
        if evidence is None:
            return cls(names, np.full(len(names), 1.0 / len(names)), {}, None)
        singles = {name: _figures(evidence.aurocs(evidence.table[:, at])) for at, name in enumerate(names)}
        score = evidence.known_moved(evidence.nested_fused(), -gained)
        low, high = evidence.auroc_range(score, slack or Slack())
        return cls(names, evidence.weights(), singles, _figures(evidence.aurocs(score)) | {"low": low, "high": high})

    @property
    def in_use(self) -> tuple[str, ...]:
        """Scores with any weight."""
        return tuple(name for name, weight in zip(self.names, self.weights, strict=True) if weight > 0)

    def only(self, names: tuple[str, ...]) -> Choice:
        """The same weights among fewer scores."""
        weights = np.array([dict(zip(self.names, self.weights, strict=True)).get(name, 0.0) for name in names])
        total = weights.sum()
        shares = weights / total if total > 0 else np.full(len(names), 1.0 / len(names))
        return Choice(names, shares, {name: self.singles[name] for name in names if name in self.singles}, self.fused)


def _figures(aurocs: Mapping[int, float]) -> dict[str, Any]:
    worst = min(aurocs, key=lambda k: aurocs[k])
    return {"auroc": float(np.mean(list(aurocs.values()))), "worst": aurocs[worst], "worst_class": worst}
