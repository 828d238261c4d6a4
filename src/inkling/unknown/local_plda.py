"""PLDA with a covariance of each class's own: some classes vary more, or in other ways, than the classes on average.

Where W is the identity, a class with n images and residuals R (n, d) has the covariance

    W_k = (PRIOR I + R'R) / (PRIOR + n - 1),

drawn to that of all classes, which counts as `PRIOR` images. By Woodbury's identity only matrices (n, n) are inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, cast

import numpy as np

from inkling.types import FloatArray, IntArray
from inkling.unknown.gaussians import squared_distances
from inkling.unknown.plda import PLDA

PRIOR = 300
"""Images that the common covariance counts as; best of 25, 50, 100 and 300 on validation images of four sets."""
LIKELIEST = 5
"""Classes whose own covariance is looked at."""
MAX_OF_CLASS = 32
"""Images of a class that its covariance is of."""


@dataclass(frozen=True, eq=False)
class LocalPLDA:
    """Log-likelihood ratio of a new class against the best of the likeliest known classes.

    Attributes
    ----------
    plda
        Of all classes, whose space this is in.
    centres
        Whitened class means, (n_classes, n_coordinates).
    residuals
        Images of each class less its mean, rows of zeros where it has fewer, (n_classes, m, n_coordinates).
    along
        The class mean along each of them, (n_classes, m).
    inverses
        (I + R R' / PRIOR)^-1 of each class, (n_classes, m, m).
    gains
        (PRIOR + n - 1) / PRIOR of each class, (n_classes,).
    log_volumes
        log det W_k of each class, (n_classes,).
    """

    plda: PLDA
    centres: FloatArray
    residuals: FloatArray
    along: FloatArray
    inverses: FloatArray
    gains: FloatArray
    log_volumes: FloatArray

    @classmethod
    def of(cls, plda: PLDA, means: FloatArray, X: FloatArray, y: IntArray) -> LocalPLDA:
        """Of images X (n, n_coordinates), not yet whitened, of the classes y (n,) with these means."""
        centres = plda.whiten(means).astype(np.float32)
        n_classes = len(centres)
        order = np.argsort(y, kind="stable")
        counts = np.bincount(y, minlength=n_classes)
        rank = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
        some = rank < MAX_OF_CLASS
        rows, rank = order[some], rank[some]
        used = np.minimum(counts, MAX_OF_CLASS)
        residuals = np.zeros((n_classes, int(used.max()), centres.shape[1]), dtype=np.float32)
        residuals[y[rows], rank] = plda.whiten(X[rows]) - centres[y[rows]]
        inner = (residuals @ residuals.transpose(0, 2, 1)).astype(np.float64) / PRIOR + np.eye(residuals.shape[1])
        gains = (PRIOR + np.maximum(used - 1, 0)) / PRIOR
        return cls(
            plda,
            centres,
            residuals,
            np.einsum("kmd,kd->km", residuals, centres),
            np.linalg.inv(inner).astype(np.float32),
            gains,
            np.linalg.slogdet(inner)[1] - plda.n_dims * np.log(gains),
        )

    def __call__(self, X: FloatArray) -> FloatArray:
        """log p(x | a new class) - max_k log p(x | class k), (n,)."""
        white = self.plda.whiten(X).astype(np.float32)
        squared = squared_distances(white, self.centres)
        n_likeliest = min(LIKELIEST, len(self.centres))
        best = np.argpartition(squared, n_likeliest - 1, axis=1)[:, :n_likeliest]
        inner = inner_products(best, self.residuals, white)
        along, inverses, gains, log_volumes = (
            of_classes(best, each) for each in (self.along, self.inverses, self.gains, self.log_volumes)
        )
        inner = inner - along
        explained = (inner * (inverses @ inner[..., None])[..., 0]).sum(axis=2) / PRIOR
        misfit = gains * (np.take_along_axis(squared, best, axis=1) - explained) + log_volumes
        return cast(FloatArray, self.plda.new_class(white) + 0.5 * misfit.min(axis=1))


@singledispatch
def of_classes(chosen: Any, values: FloatArray) -> FloatArray:
    """Values (n_classes, \\*axes) of the classes chosen (n, k), as (n, k, \\*axes).

    Parameters
    ----------
    chosen
        An array; other kinds of arrays than numpy's may have a form of their own, found by this.
    """
    return cast(FloatArray, values[chosen])


@singledispatch
def inner_products(chosen: Any, residuals: FloatArray, white: FloatArray) -> FloatArray:
    """Of each image (n, d) with the residuals (n_classes, m, d) of the classes chosen (n, k), as (n, k, m).

    Parameters
    ----------
    chosen
        As for `of_classes`.
    """
    n_classes, m, width = residuals.shape
    if chosen.size < n_classes:
        return cast(FloatArray, (residuals[chosen] @ white[:, None, :, None])[..., 0])
    with_all = (white @ residuals.reshape(-1, width).T).reshape(len(white), n_classes, m)
    return np.take_along_axis(with_all, chosen[..., None], axis=1)
