"""Products of what is judged with what was learned."""

from __future__ import annotations

from typing import cast

from inkling.types import FloatArray


def product(X: FloatArray, M: FloatArray) -> FloatArray:
    """X @ M, computed as precisely as M was learned where that is less than X is, and as precise as X.

    Of float64 and float32 numpy makes a copy of all of M in float64 first, which for one image takes most of the time.
    """
    if M.dtype.itemsize >= X.dtype.itemsize:
        return cast(FloatArray, X @ M)
    return cast(FloatArray, (X.astype(M.dtype) @ M).astype(X.dtype))
