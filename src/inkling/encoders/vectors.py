"""Vectors to unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_vectors(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Rows (n, d) divided by their Euclidean length, as float32; rows of zeros stay, NaN and infinity give NaN."""
    rows = np.asarray(vectors, dtype=np.float64)  # squares of large float32 lie beyond float32
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
