"""Which classes need images most, by their own recall on images that the head did not see. Arrays only.

A class with few images is judged by all of them: its recall is drawn to that of the others by as much as theirs are
alike (the posterior mean of a beta-binomial model, its prior by moments; Casella 1985).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkling.advising.subsets import Measured
from inkling.types import FloatArray

LEVEL = 0.8
_LEAST_PRIOR, _MOST_PRIOR = 1.0, 200.0


@dataclass(frozen=True)
class ClassNeed:
    """A class and how well its images are found.

    Attributes
    ----------
    images
        That it has.
    judged
        Images that could be left out to judge it.
    recall
        Of images that the head did not see, drawn to that of all classes; None where none could be left out.
    low, high
        Where it lies with 80 % probability.
    """

    name: str
    images: int
    judged: int
    recall: float | None
    low: float | None
    high: float | None


def class_needs(measured: Measured | None, classes: Sequence[str], images: Sequence[int]) -> tuple[ClassNeed, ...]:
    """The classes, those that need images most first: without any, with one, then by recall."""
    wrong = np.zeros(0) if measured is None else measured.errors[:, -1]
    y = np.zeros(0, dtype=np.int64) if measured is None else measured.y
    seen = ~np.isnan(wrong)
    n = np.bincount(y[seen], minlength=len(classes)).astype(np.float64)
    right = n - np.bincount(y[seen], wrong[seen], minlength=len(classes))
    a, b = prior_of(right, n)
    needs = [
        ClassNeed(name, images[k], int(n[k]), *_recall(right[k] + a, n[k] - right[k] + b))
        if n[k]
        else ClassNeed(name, images[k], 0, None, None, None)
        for k, name in enumerate(classes)
    ]
    return tuple(sorted(needs, key=_urgency))


def _urgency(need: ClassNeed) -> tuple[bool, float]:
    return need.recall is not None, need.images if need.recall is None else need.recall


def prior_of(right: FloatArray, n: FloatArray) -> tuple[float, float]:
    """a and b of the beta distribution of recalls, by moments (Kleinman 1973)."""
    used = n > 0
    if not used.any():
        return 0.5, 0.5
    right, n = right[used], n[used]
    mean = float(np.clip((right.sum() + 0.5) / (n.sum() + 1.0), 1e-3, 1 - 1e-3))
    spread = float(((right / n - mean) ** 2).mean())
    by_chance = mean * (1 - mean) * float((1 / n).mean())
    between = max(spread - by_chance, 1e-9)
    strength = float(np.clip(mean * (1 - mean) / between - 1.0, _LEAST_PRIOR, _MOST_PRIOR))
    return mean * strength, (1 - mean) * strength


def _recall(a: float, b: float) -> tuple[float, float, float]:
    from scipy.special import betaincinv

    tail = (1.0 - LEVEL) / 2
    return a / (a + b), float(betaincinv(a, b, tail)), float(betaincinv(a, b, 1.0 - tail))
