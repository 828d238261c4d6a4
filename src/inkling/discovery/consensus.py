"""Clusters that many draws of the images agree on.

One run of merging decides close calls by a hair, and one image more or less turns them. So the images are sorted again
from draws, and two belong together where they do so in most of the draws that have both (consensus clustering, Monti
et al. 2003, doi:10.1023/A:1023949509487). How far draws agree about a cluster is its stability, and how the number of
clusters differs from draw to draw is part of how surely their number is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inkling.discovery import clusters
from inkling.discovery.clusters import cluster, renumbered, shifted
from inkling.discovery.pool import Pool
from inkling.discovery.space import Space
from inkling.types import BoolArray, FloatArray, IntArray

RESAMPLES = 20
SHARE_KEPT = 0.7
"""Of the images, drawn without replacement: a copy of an image would find itself again and look stable."""
AGREED = 0.5
"""Share of the draws that put two images together, on average over a cluster, for them to be in it."""
NOT_DRAWN = -1


@dataclass(frozen=True, eq=False)
class Consensus:
    """Draws of a pool, sorted.

    Attributes
    ----------
    n_classes
        Known classes.
    drawn
        Known class or cluster of each image in each draw, (draws, n); -1 where it was not drawn.
    order
        The images in an order of their own, (n,), so that the order of the files has no say.
    cannot_link
        Pairs of images that must not be in one cluster, (m, 2).
    """

    n_classes: int
    drawn: IntArray
    order: IntArray
    cannot_link: IntArray

    @classmethod
    def of(cls, space: Space, pool: Pool, *, seed: int) -> Consensus:
        """Sort draws of the pool."""
        rng = np.random.default_rng(seed)
        drawn = np.full((RESAMPLES, len(pool.Z)), NOT_DRAWN)
        order = np.lexsort(pool.Z[:, :2].T)
        for labels in drawn:
            rows = np.flatnonzero(_kept(pool.together, order, rng))
            labels[rows] = cluster(space, pool.of_rows(rows))
        return cls(space.n_classes, drawn, order, pool.cannot_link)

    def labels(self, labels: IntArray, *, agreed: float = AGREED) -> IntArray:
        """Known class or cluster of each image, (n,), that the draws agree on.

        Parameters
        ----------
        labels
            What sorting all images at once gave, (n,). It stands where there are more than are sorted at once.
        agreed
            Mean share of the draws that images of a cluster need.
        """
        if not 1 < len(labels) <= clusters.AT_ONCE:
            return labels
        from scipy.cluster.hierarchy import fcluster, linkage

        number = fcluster(linkage(self._apart(), "average"), 1.0 - agreed, "distance")
        k, n = self.n_classes, len(labels)
        of_class = dict(zip(number[n:].tolist(), range(k), strict=True))
        out = np.empty(n, dtype=np.intp)
        out[self.order] = [of_class.get(group, k + group) for group in number[:n].tolist()]
        # Linked to what lies between them, two images may end up together that never were in any draw.
        left, right = out[self.cannot_link].T
        torn = np.isin(out, left[left == right])
        return renumbered(np.where(torn, shifted(labels, k, int(out.max()) + 1), out), k)

    def stability(self, rows: IntArray) -> float:
        """Share of the draws that put two images of a cluster (m,) together, on average."""
        together = both = 0
        for labels in self.drawn[:, rows]:
            found = np.unique(labels[labels >= 0], return_counts=True)[1]
            together += int((found * (found - 1)).sum())
            both += int(found.sum()) * (int(found.sum()) - 1)
        return together / both if both else 1.0

    def __iter__(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Rows (m,) and labels (m,) of each draw."""
        for labels in self.drawn:
            rows = np.flatnonzero(labels >= 0)
            yield rows, labels[rows]

    def _apart(self) -> FloatArray:
        """Distances between images, in `order`, with the known classes after them, condensed.

        1 - the share of the draws that put two together; a known class is where the images are that were put to it.
        """
        from scipy.spatial.distance import squareform

        drawn, k = self.drawn[:, self.order], self.n_classes
        n = drawn.shape[1]
        together, both = np.zeros((n + k, n + k), dtype=np.float32), np.zeros((n + k, n + k), dtype=np.float32)
        for labels in drawn:
            with_classes = np.append(labels, np.arange(k))
            here = with_classes >= 0
            both += here[:, None] & here
            together += (with_classes[:, None] == with_classes) & here
        apart = 1.0 - together / np.maximum(both, 1.0)
        np.fill_diagonal(apart, 0.0)
        return np.asarray(squareform(apart, checks=False))


def _kept(together: IntArray, order: IntArray, rng: np.random.Generator) -> BoolArray:
    """Which images are in a draw: all of what belongs together, or none, (n,)."""
    groups, first = np.unique(together[order], return_index=True)
    rank = np.empty(len(groups), dtype=np.intp)
    rank[np.argsort(first)] = rng.permutation(len(rank))
    return np.asarray(rank[np.searchsorted(groups, together)] < SHARE_KEPT * len(rank))
