"""Dimensions brought to one scale, so that few of them do not outvote the rest.

The coordinates of a trained embedding are not alike: some vary many times as much as others, and cosines are theirs
alone (Timkey and van Schijndel 2021, 2109.04404). Dividing each by its deviation is the simplest whitening: d numbers
to learn and not d x d, so it holds from the first image of a class on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkling.heads.support import Support, unit_rows
from inkling.types import FloatArray

PRIOR_IMAGES = 20
"""How many images' worth of say the variance about the common mean has beside that within classes."""
EMBEDDING_WEIGHT = 0.25
"""Of the embedding beside a feature, for heads that learn from images alone: a feature holds what the embedding does,
and more. Chosen by folds of training images, for two encoders on three tasks (`docs/decisions/auto-head.md`)."""
FLOOR = 0.02
"""Added to each variance, in units of the mean one: dimensions that hardly vary are not blown up."""


@dataclass(frozen=True)
class Standardization:
    """Map x to (x - mean) / deviation, brought to unit length.

    Attributes
    ----------
    mean
        Mean of the class means, (n_dims,).
    deviations
        Standard deviation of each dimension in units of that of its block, divided by the block's weight, (n_dims,).
    """

    mean: FloatArray
    deviations: FloatArray

    def __call__(self, X: FloatArray) -> FloatArray:
        return unit_rows((X - self.mean.astype(X.dtype)) / self.deviations.astype(X.dtype))

    def support(self, support: Support) -> Support:
        """The support set in this space, its images alone."""
        return replace(support, X=self(support.X), text=None)


def standardization(support: Support, *, embedding_dims: int, embedding_weight: float = 1.0) -> Standardization:
    """Standardize by the variance within classes, and by that about the mean as long as there is little of it.

    Parameters
    ----------
    embedding_weight
        Of the embedding beside a feature, in units of the feature's own weight.
    """
    X, y = support.X[: support.n_real], support.y[: support.n_real]
    degrees = support.degrees
    within = ((X - support.means[y].astype(X.dtype)) ** 2).mean(axis=0)
    deviations = [
        np.sqrt((degrees * _relative(inner) + PRIOR_IMAGES * _relative(overall)) / (degrees + PRIOR_IMAGES) + FLOOR)
        for inner, overall in zip(
            np.split(within, [embedding_dims]), np.split(X.var(axis=0), [embedding_dims]), strict=True
        )
    ]
    if len(deviations[1]):
        deviations[0] /= embedding_weight
    return Standardization(support.means.mean(axis=0), np.concatenate(deviations))


def _relative(variances: FloatArray) -> FloatArray:
    """Variances in units of their mean; zeros where nothing varies."""
    total = variances.sum(dtype=np.float64)
    return np.asarray(variances * (len(variances) / total) if total > 0 else np.zeros_like(variances))
