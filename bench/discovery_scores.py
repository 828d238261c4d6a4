"""How well images were sorted into groups, against their true classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from inkling.types import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class Sorting:
    """Which images are right when groups and classes are paired one to one as well as can be (Hungarian method).

    Attributes
    ----------
    right
        (n,).
    new
        Images of classes that were not known, (n,).
    ari
        Adjusted Rand index over all images.
    """

    right: BoolArray
    new: BoolArray
    ari: float

    @classmethod
    def of(cls, y: IntArray, groups: IntArray, n_known: int) -> Sorting:
        """Score groups (n,) of images with true classes y (n,), the known ones first."""
        names, group = np.unique(groups, return_inverse=True)
        together = np.zeros((len(names), int(y.max()) + 1))
        np.add.at(together, (group, y), 1)
        paired = np.full(len(names), -1)
        row, column = linear_sum_assignment(-together)
        paired[row] = column
        return cls(paired[group] == y, y >= n_known, float(adjusted_rand_score(y, groups)))

    def parts(self) -> dict[str, float]:
        """Share that is right of all images, of those of known classes, of those of new ones; and the Rand index."""
        return {
            "all": float(self.right.mean()),
            "old": float(self.right[~self.new].mean()),
            "new": float(self.right[self.new].mean()),
            "ARI": self.ari,
        }


def purity(y: IntArray) -> float:
    """Share of the commonest class."""
    return float(np.bincount(y).max() / len(y))


def clusters_scored(clusters: Sequence[IntArray], y: IntArray, n_known: int) -> dict[str, float]:
    """Number and purity of proposals; purity counts by image."""
    n_true = len(np.unique(y[y >= n_known]))
    majority = [int(np.bincount(y[rows]).argmax()) for rows in clusters]
    images = np.concatenate(clusters) if clusters else np.zeros(0, dtype=np.intp)
    pure = sum(purity(y[rows]) * len(rows) for rows in clusters)
    return {
        "proposals": float(len(clusters)),
        "proposals against true number, relative error": abs(len(clusters) - n_true) / n_true,
        "new classes with a proposal": float(len({of for of in majority if of >= n_known})),
        "proposals of a known class": float(sum(of < n_known for of in majority)),
        "purity of proposals": pure / max(len(images), 1),
        "purity of proposals, mean over proposals": float(np.mean([purity(y[rows]) for rows in clusters] or [0.0])),
    }
