"""Softmax and its logarithm over the last axis. Scoring is numpy: SciPy takes a tenth of a second to import."""

from __future__ import annotations

from typing import cast

import numpy as np

from inkling.types import FloatArray


def logsumexp(z: FloatArray) -> FloatArray:
    """log sum_k exp z_k over the last axis."""
    top = z.max(axis=-1, keepdims=True)
    return cast(FloatArray, np.log(np.exp(z - top).sum(axis=-1)) + top[..., 0])


def log_softmax(z: FloatArray) -> FloatArray:
    """z_k - log sum_j exp z_j over the last axis."""
    away = z - z.max(axis=-1, keepdims=True)
    return cast(FloatArray, away - np.log(np.exp(away).sum(axis=-1, keepdims=True)))


def softmax(z: FloatArray) -> FloatArray:
    """exp z_k / sum_j exp z_j over the last axis."""
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return cast(FloatArray, p)
