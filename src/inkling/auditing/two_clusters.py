"""Classes that are two clusters, as when one name stands for two things. Arrays only.

Residuals about the class means are whitened by the covariance within other classes: with its own, the direction between
two clusters of a class would count as spread and be scaled away. A class is split by 2-means. Its clusters are apart by

    a = (mean product of two of one cluster - mean product of two of different clusters) / v,

v the mean square of the residuals of the median class. Products of different images alone have no noise in them, so a
is half the squared distance between the means of the clusters, in units of how images differ from their class. Chance
counts, too, as 2-means looks for the split that is farthest apart; the threshold allows for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from inkling.heads.scatter import class_means
from inkling.heads.threads import threads_for
from inkling.types import BoolArray, FloatArray, IntArray

APART = 0.45
"""How far apart the clusters of a class are from which on it is said to be two. Chosen on CLIP's vectors of Caltech-100
and Cars in other draws than those of the figures, and on other frames of UCF101: docs/decisions/audit.md."""
LEAST = 6
"""Images of different sources in a class from which on it is split."""
SHARE = 0.2
"""Share of a class that a cluster has at least: a few images that differ are no second thing."""
CLASSES = 8
"""Classes from which on the spread within others says how far apart is far."""
SHRINKAGE = 0.5
FOLDS = 5
"""Parts of the classes, each of which is whitened by the others."""
MOST = 400
"""Images of a class that its split is found on; each of the others is of the cluster whose mean is nearer."""
_DIRECTIONS, _ROUNDS = 3, 20


@dataclass(frozen=True, eq=False)
class TwoClusters:
    """A class that is two clusters.

    Attributes
    ----------
    k
        The class.
    rows
        The images of the larger cluster and of the smaller one.
    typical
        The image of each that is nearest to the mean of its cluster.
    apart
        How far apart they are, `APART` and more.
    """

    k: int
    rows: tuple[IntArray, IntArray]
    typical: tuple[int, int]
    apart: float


def two_clusters(X: FloatArray, y: IntArray, source: IntArray, *, seed: int = 0) -> list[TwoClusters]:
    """Classes that are two clusters, those that are farthest apart first.

    Parameters
    ----------
    X, y
        Unit vectors (n, d) of different pictures, and the class of each, (n,); of at least `CLASSES` classes.
    source
        Which source each is of, such as a burst, (n,); one counts as one image.
    seed
        Divides the classes.
    """
    R = _whitened(X, y, seed=seed)
    squares = np.einsum("nd,nd->n", R, R)
    typical = float(np.median([squares[y == k].mean() for k in np.unique(y)]))
    parts = [np.flatnonzero(y == k) for k in np.unique(y)]
    with threads_for(MOST**2):
        found = [_split(R, rows, source, int(y[rows[0]]), typical) for rows in parts]
    return sorted((one for one in found if one is not None), key=lambda one: -one.apart)


def _whitened(X: FloatArray, y: IntArray, *, seed: int) -> FloatArray:
    """Residuals about the class means (n, r), each class whitened by the covariance within those of other folds."""
    from scipy.linalg import cholesky, solve_triangular

    present, y = np.unique(y, return_inverse=True)
    counts = np.bincount(y)
    # An image is part of its class's mean, the more so the fewer there are.
    R = X.astype(np.float32)
    R -= class_means(R, y, len(counts)).astype(R.dtype)[y]
    R *= np.sqrt(counts / np.maximum(counts - 1, 1)).astype(R.dtype)[y, None]
    width = R.shape[1]
    if len(R) < width:  # in the basis of their own span, which is all that products know of
        R = np.linalg.qr(R.T)[1].T
    fold = (np.random.default_rng(seed).permutation(len(present)) % FOLDS)[y]
    whitened = np.zeros(R.shape, dtype=np.float32)
    for held in np.unique(fold):
        others = R[fold != held]
        S = (others.T @ others).astype(np.float64)
        ridge = max(np.trace(S) / width, 1e-12)
        root = cholesky((1.0 - SHRINKAGE) / ridge * S + SHRINKAGE * np.eye(len(S)), lower=True).astype(R.dtype)
        whitened[fold == held] = solve_triangular(root, R[fold == held].T, lower=True, check_finite=False).T
    return whitened


def _split(R: FloatArray, rows: IntArray, source: IntArray, k: int, unit: float) -> TwoClusters | None:
    """The clusters of a class; None where they are not far apart."""
    numbers, of = np.unique(source[rows], return_inverse=True)
    if len(numbers) < LEAST or unit <= 0:
        return None
    V = class_means(R[rows], of, len(numbers))
    V = V - V.mean(axis=0)
    some = np.arange(0, len(V), -(-len(V) // MOST))
    first = _two_means(V[some])
    if first is None:
        return None
    apart = _apart(V[some] @ V[some].T, first) / unit
    if apart < APART:
        return None
    means = V[some][first].mean(axis=0), V[some][~first].mean(axis=0)
    nearer = ((V - means[0]) ** 2).sum(axis=1) < ((V - means[1]) ** 2).sum(axis=1)
    nearer[some] = first
    parts = (rows[nearer[of]], rows[~nearer[of]])
    typical = tuple(int(part[((R[part] - R[part].mean(axis=0)) ** 2).sum(axis=1).argmin()]) for part in parts)
    order = (0, 1) if len(parts[0]) >= len(parts[1]) else (1, 0)
    large, small = order
    return TwoClusters(k, (parts[large], parts[small]), (typical[large], typical[small]), float(apart))


def _two_means(V: FloatArray) -> BoolArray | None:
    """Which of centred rows (n, d) are in one cluster, (n,): the best of splits along the leading directions.

    None where the smaller cluster of each is too small.
    """
    from scipy.linalg import eigh

    G = (V @ V.T).astype(np.float64)
    least = max(2, int(np.ceil(SHARE * len(G))))
    leading = eigh(G, subset_by_index=(len(G) - _DIRECTIONS, len(G) - 1), check_finite=False)[1].T
    found = [_moved(G, _cut(G, np.argsort(along), least)) for along in leading]
    large = [first for first in found if min(first.sum(), (~first).sum()) >= least]
    return max(large, key=lambda first: _between(G, first), default=None)


def _cut(G: FloatArray, order: IntArray, least: int) -> BoolArray:
    """The best of all splits into the first and the last of an order."""
    n = len(G)
    sizes = np.arange(least, n - least + 1)
    within = np.cumsum(np.cumsum(G[np.ix_(order, order)], axis=0), axis=1).diagonal()[sizes - 1]
    first = np.zeros(n, dtype=bool)
    first[order[: sizes[(within * (1.0 / sizes + 1.0 / (n - sizes))).argmax()]]] = True
    return first


def _moved(G: FloatArray, first: BoolArray) -> BoolArray:
    """Each to the cluster whose mean is nearer, until none moves or one is empty."""
    for _ in range(_ROUNDS):
        one, other = G[:, first].mean(axis=1), G[:, ~first].mean(axis=1)
        moved = 2.0 * (one - other) > one[first].mean() - other[~first].mean()
        if (moved == first).all() or moved.all() or not moved.any():
            break
        first = moved
    return first


def _between(G: FloatArray, first: BoolArray) -> float:
    """Sum of squares between the clusters of centred rows."""
    within = G[np.ix_(first, first)].sum()
    return float(within * (1.0 / first.sum() + 1.0 / (~first).sum()))


def _apart(G: FloatArray, first: BoolArray) -> float:
    """Mean product of two different rows of one cluster less that of two of different clusters."""
    one, other = int(first.sum()), int((~first).sum())
    within = G[np.ix_(first, first)].sum() + G[np.ix_(~first, ~first)].sum() - np.trace(G)
    pairs = one * (one - 1) + other * (other - 1)
    return cast(float, within / pairs - G[np.ix_(first, ~first)].mean())
