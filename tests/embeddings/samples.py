"""Entries for the cache."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.entries import CachedImage
from tests.fakes import DIMENSION, FEATURE_DIMENSION


def entry(seed: int, *, feature: bool = True) -> CachedImage:
    """Some vectors and a thumbnail."""
    rng = np.random.default_rng(seed)
    return CachedImage(
        rng.normal(size=DIMENSION).astype(np.float32),
        rng.normal(size=FEATURE_DIMENSION).astype(np.float32) if feature else None,
        f"thumbnail {seed}".encode(),
    )


def same(one: CachedImage, other: CachedImage) -> bool:
    """Bit for bit."""

    def bits(vector: NDArray[np.float32] | None) -> bytes | None:
        return None if vector is None else vector.tobytes()

    return (bits(one.embedding), bits(one.feature), one.thumbnail) == (
        bits(other.embedding),
        bits(other.feature),
        other.thumbnail,
    )
