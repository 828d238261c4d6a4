"""Names that are no known class, to compare images with. Jiang et al. 2024, 2403.20078."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

SHARE = 0.15
"""Of the vocabulary that is kept, as published."""
NEAREST = 0.95
"""Quantile of the cosines to the known names at which a name's nearness is measured, as published."""


@dataclass(frozen=True, eq=False)
class Negatives:
    """Names that are no known class, nor near one.

    Attributes
    ----------
    names
        The names.
    vectors
        Their unit text vectors, (m, d).
    """

    names: tuple[str, ...]
    vectors: FloatArray

    def only(self, wanted: Container[str]) -> Negatives:
        """Those whose names are wanted."""
        kept = np.array([name in wanted for name in self.names], dtype=bool)
        return Negatives(tuple(name for name in self.names if name in wanted), self.vectors[kept])


def mine_negatives(vocabulary: FloatArray, text_vectors: FloatArray, *, share: float = SHARE) -> IntArray:
    """Rows of the vocabulary, sorted, whose names lie farthest from all known ones.

    Parameters
    ----------
    vocabulary
        Text vectors (m, d) of many names; synonyms, parents and children of known classes should be left out before.
    text_vectors
        Text vectors (n_classes, d) of the known classes, NaN where a class has none.
    share
        Share of the vocabulary to keep.
    """
    known = text_vectors[np.isfinite(text_vectors).all(axis=1)]
    nearness = np.quantile(unit_rows(vocabulary) @ unit_rows(known).T, NEAREST, axis=1)
    kept = max(round(share * len(vocabulary)), 1)
    return np.asarray(np.sort(np.argsort(nearness, kind="stable")[:kept]))
