"""Wide features of many images along their leading directions: heads are fitted in them many times. Arrays only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.support import unit_rows
from inkling.types import FloatArray

WIDTH = 256
"""Directions that are kept of features. To decompose a scatter takes time by the third power of its width."""
IMAGES_FOR_EACH = 8
"""Images for each direction from which on the directions are known well, and from which on time counts."""


def narrowed(vectors: LabelledVectors) -> LabelledVectors:
    """The same images with features of `WIDTH` numbers; vectors of few images, or without wide features, as they are.

    The embedding stays, since texts are compared with it. Labels have no say, so no held-out image loses its own.
    """
    embedding, features = np.split(vectors.X, [vectors.embedding_dims], axis=1)
    few = narrow(features)
    return vectors if few is features else replace(vectors, X=np.hstack([embedding, few]))


def narrow(features: FloatArray) -> FloatArray:
    """Features (n, d) along `WIDTH` directions; as they are where they are no wider, or of few images."""
    if features.shape[1] <= WIDTH or len(features) < IMAGES_FOR_EACH * WIDTH:
        return features
    return along_leading(unit_rows(features).astype(np.float32), WIDTH)


def along_leading(F: FloatArray, width: int) -> FloatArray:
    """Standardized features (n, d) along the `width` directions of their greatest variance, (n, width) float32."""
    from scipy.linalg import eigh

    F = F - F.mean(axis=0)
    F /= np.maximum(F.std(axis=0), 1e-6)
    last = F.shape[1] - 1
    S = (F.T @ F).astype(np.float64) / len(F)
    _, directions = eigh(S, subset_by_index=(last - width + 1, last), overwrite_a=True, check_finite=False)
    return np.asarray(F @ directions.astype(np.float32))
