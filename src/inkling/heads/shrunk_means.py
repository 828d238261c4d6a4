"""Class means drawn towards their common mean, as far as few images leave them uncertain.

The two-covariance model of probabilistic linear discriminant analysis: images scatter about the centre of their class,
and the centres about the mean of all (Ioffe 2006). A mean of n images is then a noisy reading of the centre, and along
directions in which classes hardly differ most of what it reads is noise.
"""

from __future__ import annotations

import numpy as np

from inkling.types import FloatArray, IntArray

ISOTROPIC = 0.5
"""Share of the covariance of the centres that is spread over all directions alike: few classes tell little of it."""
FAINT = 1e-3
"""Variance of the centres, in units of the noise, where means differ by noise alone: all scores are then close, yet in
the order of the means."""


def shrunk_means(means: FloatArray, counts: IntArray, *, noise: float) -> FloatArray:
    """Posterior means of the centres, (n_classes, d).

    Parameters
    ----------
    means
        Class means less the mean of them, in a space where images scatter alike in all directions, (n_classes, d).
    counts
        Images of each class, (n_classes,).
    noise
        Variance of images about their class's centre along any direction, above 0.
    """
    K, d = means.shape
    left, lengths, directions = np.linalg.svd(means, full_matrices=False)
    between = np.maximum(lengths**2 / max(K - 1, 1) - noise * np.mean(1.0 / counts), 0.0)
    between = (1.0 - ISOTROPIC) * between + ISOTROPIC * max(between.sum() / d, FAINT * noise)
    signal = counts[:, None] * between
    return np.asarray((left * lengths * (signal / (signal + noise))) @ directions)
