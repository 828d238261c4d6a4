"""Heads that score in a whitened space. Several on one scatter share the costly part: the rows along its directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inkling.heads.base import Head
from inkling.heads.scatter import Projection
from inkling.heads.whitening import Whitening
from inkling.types import FloatArray


@dataclass(eq=False, repr=False)
class WhitenedHead(Head):
    """Base of the heads that read rows through a `Whitening`. A subclass gives `_learn` and `score_projected`."""

    def _keep(self, whiten: Whitening) -> None:
        self.mean_, self.directions_, self.gains_ = whiten.mean, whiten.directions, whiten.gains

    def _prepare(self) -> None:
        self._whiten = Whitening(self.mean_, self.directions_, self.gains_)

    def project(self, X: FloatArray) -> Projection:
        """Rows with unit blocks (n, n_dims), for `score_projected` of this head and of others on the same scatter."""
        return self._whiten.project(X)

    def score_projected(self, rows: Projection) -> FloatArray:
        """Scores (n, n_classes) of rows."""
        raise NotImplementedError

    def _score(self, X: FloatArray) -> FloatArray:
        return self.score_projected(self.project(X))


def scores_of(heads: Mapping[str, Head], X: FloatArray) -> dict[str, FloatArray]:
    """Scores (n, n_classes) of rows with unit blocks by heads that were fitted on the same images."""
    whitened = [head for head in heads.values() if isinstance(head, WhitenedHead)]
    if not whitened:
        return {name: head.scores(X) for name, head in heads.items()}
    rows = whitened[0].project(X)
    return {
        name: head.score_projected(rows) if isinstance(head, WhitenedHead) else head.scores(X)
        for name, head in heads.items()
    }
