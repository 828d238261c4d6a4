"""Known classes and a pool with new ones, drawn so that the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

CALIBRATION = 199
N_KNOWN, SHOTS, DIMS = 6, 10, 48


@dataclass(frozen=True)
class Sample:
    """Known images, and a pool with true classes; those from `n_known` on are new."""

    known_X: FloatArray
    known_y: IntArray
    X: FloatArray
    y: IntArray
    p_known: FloatArray
    n_known: int

    def in_order(self, order: IntArray) -> Sample:
        return Sample(self.known_X, self.known_y, self.X[order], self.y[order], self.p_known[order], self.n_known)


def draw_sample(*, n_new: int = 3, per_known: int = 12, per_new: int = 12, noise: float = 0.7, seed: int = 0) -> Sample:
    """Classes are random directions, images lie about them; p-values are uniform for known images, small for new."""
    rng = np.random.default_rng(seed)
    centres = unit_rows(rng.normal(size=(N_KNOWN + n_new, DIMS)))
    y = np.concatenate([np.repeat(np.arange(N_KNOWN), per_known), np.repeat(N_KNOWN + np.arange(n_new), per_new)])
    known_y = np.repeat(np.arange(N_KNOWN), SHOTS)
    ranks = np.where(
        y < N_KNOWN, rng.integers(1, CALIBRATION + 2, size=len(y)), rng.integers(1, CALIBRATION // 20, size=len(y))
    )
    sample = Sample(
        _about(centres[known_y], noise, rng),
        known_y,
        _about(centres[y], noise, rng),
        y,
        ranks / (CALIBRATION + 1),
        N_KNOWN,
    )
    return sample.in_order(rng.permutation(len(y)))


def _about(centres: FloatArray, noise: float, rng: np.random.Generator) -> FloatArray:
    spread = noise / np.sqrt(centres.shape[1])
    return unit_rows(centres + spread * rng.normal(size=centres.shape)).astype(np.float32)


def draw_classes(*, n_classes: int, per_class: int, dims: int, noise: float, seed: int) -> tuple[FloatArray, IntArray]:
    """Known classes alone."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), per_class)
    return _about(unit_rows(rng.normal(size=(n_classes, dims)))[y], noise, rng), y
