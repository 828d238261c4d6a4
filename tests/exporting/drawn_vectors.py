"""Labelled vectors for tests of heads alone."""

from __future__ import annotations

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.types import ClassEntry, EncoderIdentity

DIMENSION, FEATURES = 8, 6
CLASSES = ("ant", "bee", "cat")


def samples_of_vectors(
    *, features: bool = False, texts: bool = False, noise: float = 0.3, shots: int = 12
) -> tuple[Samples, tuple[ClassEntry, ...]]:
    """Three classes of vectors about a mean each, with the class means as text vectors where there are texts."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, DIMENSION + FEATURES * features))
    y = np.repeat(np.arange(3), shots)
    X = (means[y] + noise * rng.normal(size=(len(y), means.shape[1]))).astype(np.float32)
    X[:, :DIMENSION] /= np.linalg.norm(X[:, :DIMENSION], axis=1, keepdims=True)
    text = means[:, :DIMENSION] / np.linalg.norm(means[:, :DIMENSION], axis=1, keepdims=True)
    identity = EncoderIdentity("drawn", "drawn", "drawn-0001", DIMENSION, FEATURES * features, 20.0, "float32")
    rows = tuple(f"{row}.png" for row in range(len(y)))
    labels = tuple(CLASSES[k] for k in y)
    entries = [
        ClassEntry(name, text_vector=row.astype(np.float32) if texts else None)
        for name, row in zip(CLASSES, text, strict=True)
    ]
    return Samples(identity, rows, labels, rows, (None,) * len(y), (0,) * len(y), X), tuple(entries)
