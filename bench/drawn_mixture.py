"""Vectors that lie as embeddings of photographs do: classes in kinds, along few directions of unlike weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drawn_memory import DIMS, IDENTITY
from inkling.memory.content import MemoryContent, Provenance
from inkling.types import ClassEntry, Exemplar, FloatArray, HeadState, IntArray

DIRECTIONS = 96
"""Along which images differ; their weights fall with the square root of their rank."""
CLASSES_OF_A_KIND = 20
CLASS_SPREAD, IMAGE_SPREAD, NOISE, COMMON = 0.7, 0.8, 0.02, 0.15
"""Of a class within its kind, an image within its class, each number by itself; and what all images share. The nearest
of 10^6 exemplars to a new image has a cosine of .85 or so, as with CLIP's vectors of photographs."""
CHUNK = 50_000


@dataclass(frozen=True, eq=False)
class Mixture:
    """Draws images of classes.

    Attributes
    ----------
    basis, classes
        Directions (DIRECTIONS, DIMS), and centres of the classes along them (n_classes, DIRECTIONS).
    """

    basis: FloatArray
    classes: FloatArray

    @classmethod
    def of(cls, n_classes: int, rng: np.random.Generator) -> Mixture:
        """With so many classes."""
        basis = rng.standard_normal((DIRECTIONS, DIMS), dtype=np.float32) / np.float32(np.sqrt(DIMS))
        kinds = rng.standard_normal((max(n_classes // CLASSES_OF_A_KIND, 1), DIRECTIONS), dtype=np.float32)
        own = CLASS_SPREAD * rng.standard_normal((n_classes, DIRECTIONS), dtype=np.float32)
        return cls(basis, kinds[rng.integers(len(kinds), size=n_classes)] + own)

    def chunks(self, y: IntArray, rng: np.random.Generator) -> Iterator[FloatArray]:
        """Unit vectors of images of classes y, (m, DIMS) float32 at a time."""
        weights = (np.arange(1, DIRECTIONS + 1) ** -0.5).astype(np.float32)
        for start in range(0, len(y), CHUNK):
            some = y[start : start + CHUNK]
            Z = self.classes[some] + IMAGE_SPREAD * rng.standard_normal((len(some), DIRECTIONS), dtype=np.float32)
            X = (Z * weights) @ self.basis + NOISE * rng.standard_normal((len(some), DIMS), dtype=np.float32)
            X += COMMON * self.basis[0]
            yield X / np.linalg.norm(X, axis=1, keepdims=True)

    def images(self, y: IntArray, rng: np.random.Generator) -> FloatArray:
        """All of them, (n, DIMS) float32."""
        X = np.empty((len(y), DIMS), dtype=np.float32)
        for number, chunk in enumerate(self.chunks(y, rng)):
            X[number * CHUNK : number * CHUNK + len(chunk)] = chunk
        return X


def content_of(X: FloatArray, y: IntArray, n_classes: int) -> MemoryContent:
    """A memory of such exemplars, its head the class means: for costs that no head has a part in."""
    names = [f"class {k:05d}" for k in range(n_classes)]
    means = np.zeros((n_classes, DIMS), dtype=np.float32)
    np.add.at(means, y, X)
    return MemoryContent(
        encoder=IDENTITY,
        classes=tuple(ClassEntry(name) for name in names),
        exemplars=tuple(Exemplar(f"{row}.jpg", f"{row:x}", names[k], 0, None) for row, k in enumerate(y.tolist())),
        vectors=X,
        head=HeadState("prototype", {}, {"means": means}),
        calibration={"temperature": 1.0},
        training={},
        provenance=Provenance("2026-01-01T00:00:00Z", "0", "bench/scale.py", 0, {}, ""),
    )
