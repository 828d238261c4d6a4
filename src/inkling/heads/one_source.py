"""Which images of a class come from one source, such as a burst or a video, relative to how alike a class is anyway.

How an image differs from its class says where it was taken: frames of one scene differ from the class in the same way,
other images each in their own. So residuals r about the class means are whitened by the covariance within classes,
which makes those of independent images next to orthogonal, whatever the classes have in common and however fine they
are. Two images are alike by

    s = 1 - |r_i - r_j|^2 / min(|r_i|^2 + |r_j|^2, 2 v),    v the mean of |r|^2 over all images.

s is about 0 for independent images and 1 for copies. The first of the two denominators makes s relative to the class: a
class that is tight as a whole is no burst. The second makes it relative to all classes: nor is each half of a class
that is two clusters. How much is much is measured as well: images of different classes are of different sources, so
what an image reaches with its nearest one of another class is chance, and it takes half as much again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.scatter import class_means
from inkling.types import FloatArray, IntArray

TIMES_CHANCE = 1.5
"""How many times as alike as by chance images of one source are. On CLIP's vectors of UCF101's test frames, whose
videos are inferred from how alike frames are, about 7 a class, 99 % of the pairs that are grouped are of one inferred
video and 31 % of those of one are grouped; of independent photographs of cars, at most 0.1 % are in a group."""
ALIKE = 0.5
"""How alike they are where one class alone leaves nothing to measure chance by."""
SHRINKAGE = 0.5
BY_CHANCE = 0.99
"""Share of images whose nearest one of another class is less alike than what counts as chance."""
COMPARED, COMPARED_WITH = 1_000, 20_000
"""Images that this is measured on."""
WHOLE = 3_000
"""Images that are clustered at once."""
_ROWS = 1_024


@dataclass(frozen=True, eq=False)
class Residuals:
    """How images differ from their classes.

    Attributes
    ----------
    R
        Whitened residuals, (n, d).
    squares
        Their squared lengths, (n,).
    y
        Class of each, (n,).
    """

    R: FloatArray
    squares: FloatArray
    y: IntArray

    @classmethod
    def of(cls, X: FloatArray, y: IntArray) -> Residuals:
        """Of unit vectors X (n, d), one an image: copies of a picture would count as evidence of their own."""
        from scipy.linalg import cholesky, solve_triangular

        X = np.asarray(X, dtype=np.float32)
        counts = np.bincount(y)
        # An image is part of its class's mean, the more so the fewer there are.
        R = X - class_means(X, y, len(counts)).astype(X.dtype)[y]
        R *= np.sqrt(counts / np.maximum(counts - 1, 1)).astype(X.dtype)[y, None]
        width = R.shape[1]
        if len(R) < width:  # in the basis of their own span, which is all that lengths and products know of
            R = np.linalg.qr(R.T)[1].T
        S = (R.T @ R).astype(np.float64)
        ridge = max(np.trace(S) / width, 1e-12)
        root = cholesky((1.0 - SHRINKAGE) / ridge * S + SHRINKAGE * np.eye(len(S)), lower=True).astype(X.dtype)
        # Any square root of S serves: s knows lengths and products alone.
        R = solve_triangular(root, R.T, lower=True, overwrite_b=True, check_finite=False).T
        return cls(R, np.einsum("nd,nd->n", R, R), y)

    def alike(self, rows: IntArray, others: IntArray) -> FloatArray:
        """s of images with others, (len(rows), len(others))."""
        both = self.squares[rows, None] + self.squares[others]
        apart = np.maximum(both - 2.0 * self.R[rows] @ self.R[others].T, 0.0)
        return cast(FloatArray, 1.0 - apart / np.maximum(np.minimum(both, 2.0 * self.squares.mean()), 1e-12))

    def by_chance(self, *, seed: int = 0) -> float:
        """s that next to no image reaches with one of another class; 0 where there is one class."""
        rng, n = np.random.default_rng(seed), len(self.y)
        rows = rng.permutation(n)[:COMPARED]
        others = rng.permutation(n)[:COMPARED_WITH]
        nearest = np.where(self.y[rows, None] != self.y[others], self.alike(rows, others), 0.0).max(axis=1)
        return float(np.quantile(nearest, BY_CHANCE))

    def sources(self, *, least: float) -> IntArray:
        """Number of the source of each image, (n,), where the mean s of images of one source is `least` or more."""
        source = np.arange(len(self.y))
        for k in np.unique(self.y):
            for rows in _clusters(self, np.flatnonzero(self.y == k), least):
                source[rows] = rows[0]
        return source


@dataclass(frozen=True, eq=False)
class Bursts:
    """Sources of images, and what they were found by.

    Attributes
    ----------
    residuals
        How images differ from their classes.
    chance
        s that next to no image reaches by chance.
    source
        Number of the source of each image, (n,).
    """

    residuals: Residuals
    chance: float
    source: IntArray

    @classmethod
    def of(cls, X: FloatArray, y: IntArray, *, times_chance: float = TIMES_CHANCE, seed: int = 0) -> Bursts:
        """Parameters as for `one_source`."""
        residuals = Residuals.of(X, y)
        chance = residuals.by_chance(seed=seed)
        return cls(residuals, chance, residuals.sources(least=times_chance * chance or ALIKE))


def one_source(X: FloatArray, y: IntArray, *, times_chance: float = TIMES_CHANCE, seed: int = 0) -> IntArray:
    """Number of the source of each image, (n,): those of one class that come from one source share it.

    Parameters
    ----------
    X, y
        Unit vectors (n, d) of different pictures, and the class of each, (n,). What tells most of a picture serves
        best, such as features.
    times_chance
        Mean s that images of one source have at least, in multiples of what is reached by chance.
    seed
        Draws the images by which chance is measured.
    """
    return Bursts.of(X, y, times_chance=times_chance, seed=seed).source


def _clusters(residuals: Residuals, rows: IntArray, least: float) -> Iterator[IntArray]:
    """Clusters of two and more, by average linkage.

    No cluster reaches beyond a component of pairs that are as alike, so that a large class is clustered in parts.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    for part in _components(residuals, rows, least):
        apart = 1.0 - residuals.alike(part, part)
        condensed = squareform((apart + apart.T) / 2.0, checks=False)
        cluster = fcluster(linkage(condensed, "average"), 1.0 - least, "distance")
        for number in np.unique(cluster):
            if (cluster == number).sum() > 1:
                yield part[cluster == number]


def _components(residuals: Residuals, rows: IntArray, least: float) -> Iterator[IntArray]:
    """Parts of two images and more that pairs tie together; pairs are asked for more where a part grows too large."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(rows) < 2:
        return
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for top in range(0, len(rows), _ROWS):
        found = np.argwhere(residuals.alike(rows[top : top + _ROWS], rows) >= least) + np.array([top, 0])
        pairs.append(found[found[:, 0] < found[:, 1]])
    left, right = np.concatenate(pairs).T
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(len(rows), len(rows)))
    number = connected_components(graph, directed=False)[1]
    order = np.argsort(number, kind="stable")
    for part in np.split(rows[order], np.flatnonzero(np.diff(number[order])) + 1):
        if len(part) <= WHOLE:
            yield from (part,) if len(part) > 1 else ()
        else:
            yield from _components(residuals, part, (1.0 + least) / 2.0)
