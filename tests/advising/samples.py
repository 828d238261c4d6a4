"""Classes as clouds about known centres, so that what more images bring is known."""

from __future__ import annotations

import numpy as np

from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray


def clouds(n: int, *, classes: int = 8, spread: float = 0.35, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """n vectors of each class, class by class; centres depend on nothing but the number of classes."""
    centres = unit_rows(np.random.default_rng(99).normal(size=(classes, 24)))
    y = np.repeat(np.arange(classes), n)
    rng = np.random.default_rng(seed)
    return unit_rows(centres[y] + spread * rng.normal(size=(len(y), 24))), y


def labelled(n: int, **options: float) -> LabelledVectors:
    return LabelledVectors.of(*clouds(n, **options))
