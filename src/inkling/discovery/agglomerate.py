"""Clusters by merging, always the two that gain most, until no merge is likelier than not."""

from __future__ import annotations

import numpy as np

from inkling.discovery.evidence import log_evidence, merging, share_of, witnesses
from inkling.discovery.space import Space
from inkling.types import BoolArray, FloatArray, IntArray

FEW = 0.6
"""Share of the clusters at hand that may still merge, below which the others are left out."""
ROWS = 32
"""Of a matrix, worked on together: few enough to stay in the cache of a processor."""


def agglomerate(
    space: Space, means: FloatArray, counts: FloatArray, *, apart: BoolArray, prior: bool = True
) -> IntArray:
    """Merge clusters while one centre for two of them is likelier than two.

    Parameters
    ----------
    means, counts
        Clusters to begin with: mean vectors (n, d) in the whitened space, and the images behind each, (n,).
    apart
        Pairs that must never be in one cluster, (n, n), symmetric.
    prior
        Whether large clusters grow more easily.

    Returns
    -------
    IntArray
        The cluster of each, (n,), named by the lowest index that is in it.
    """
    merger = _Merger(space, means, counts, apart, prior)
    while merger.merge_best():
        pass
    return merger.roots()


class _Merger:
    """The matrix of gains, kept up to date merge by merge: O(n^2) memory, O(n) work a merge beside rare searches.

    Rows are clusters that may still merge, and now and then those that are gone are cut out.
    """

    def __init__(self, space: Space, means: FloatArray, counts: FloatArray, apart: BoolArray, prior: bool) -> None:
        n = len(means)
        self.space, self.prior = space, prior
        self.apart = apart.copy()
        self.counts = np.asarray(counts, dtype=np.float64).copy()
        self.weights = witnesses(self.counts)
        self.products = means @ means.T
        self.squares = np.diag(self.products).copy()
        self.evidence = share_of(prior) * log_evidence(space, self.weights, self.weights**2 * self.squares)
        # Most clusters are of few sizes, and what sizes alone say takes logarithms.
        sizes, self.size = np.unique(self.counts, return_inverse=True)
        self.sizes, self.number_of = sizes.tolist(), {value: number for number, value in enumerate(sizes.tolist())}
        self.by_size: dict[float, tuple[FloatArray, FloatArray]] = {}
        self.alive = np.ones(n, dtype=bool)
        self.parent, self.place = np.arange(n), np.arange(n)
        self.gains = self._all_gains()
        self.best = self.gains.argmax(axis=1) if n else np.zeros(0, dtype=np.intp)
        self.best_gain = self.gains[np.arange(n), self.best] if n else np.zeros(0)

    def merge_best(self) -> bool:
        """Merge the two clusters that gain most; False where no merge gains."""
        if len(self.best) < 2:
            return False
        i = int(self.best_gain.argmax())
        if self.best_gain[i] <= 0:
            return False
        self._merge(*sorted((i, int(self.best[i]))))
        return True

    def roots(self) -> IntArray:
        """The cluster that each beginning ended in."""
        parent: IntArray = self.parent.copy()
        while (parent != parent[parent]).any():
            parent = parent[parent]
        return np.asarray(parent)

    def _all_gains(self) -> FloatArray:
        """Log odds for merging each with each, for some of one size at a time, (n, n)."""
        gains = np.empty((len(self.counts), len(self.counts)))
        for number, count in enumerate(list(self.sizes)):
            of_size = np.flatnonzero(self.size == number)
            for start in range(0, len(of_size), ROWS):
                rows = of_size[start : start + ROWS]
                gains[rows] = self._gains_of(rows, count)
        return gains

    def _gains_of(self, rows: IntArray, count: float) -> FloatArray:
        """Log odds for merging some of `count` images (r,) with each, (r, n); minus infinity where not allowed."""
        constant, slope = (terms[self.size] for terms in self._of_size(count))
        own = self.weights**2 * self.squares
        gains = self.products[rows] * (2.0 * self.weights[rows, None] * self.weights)
        gains += own + own[rows, None]
        gains *= slope
        gains += constant - self.evidence - self.evidence[rows, None]
        gains[self.apart[rows] | ~self.alive] = -np.inf
        gains[np.arange(len(rows)), rows] = -np.inf
        return np.asarray(gains)

    def _of_size(self, count: float) -> tuple[FloatArray, FloatArray]:
        """What sizes alone say about a cluster of `count` images and those of each of `sizes`."""
        constant, slope = self.by_size.get(count, (np.zeros(0), np.zeros(0)))
        if len(constant) < len(self.sizes):
            more = merging(self.space, np.array(self.sizes[len(constant) :]), count, prior=self.prior)
            constant, slope = np.concatenate([constant, more[0]]), np.concatenate([slope, more[1]])
            self.by_size[count] = constant, slope
        return constant, slope

    def _merge(self, i: int, j: int) -> None:
        self._move_mean(i, j)
        self.apart[i] |= self.apart[j]
        self.apart[:, i] |= self.apart[:, j]
        self.alive[j], self.parent[self.place[j]] = False, self.place[i]
        self.gains[j], self.gains[:, j], self.best_gain[j] = -np.inf, -np.inf, -np.inf
        self._update_gains(i, j)
        if self.alive.sum() < FEW * len(self.alive):
            self._cut_out()

    def _cut_out(self) -> None:
        """Leave out what has been merged into others."""
        rows = np.flatnonzero(self.alive)
        new = np.zeros(len(self.alive), dtype=np.intp)
        new[rows] = np.arange(len(rows))
        for name in ("apart", "products", "gains"):
            setattr(self, name, getattr(self, name)[np.ix_(rows, rows)])
        for name in ("counts", "weights", "squares", "evidence", "size", "alive", "place", "best_gain"):
            setattr(self, name, getattr(self, name)[rows])
        self.best = new[self.best[rows]]

    def _move_mean(self, i: int, j: int) -> None:
        """Cluster i takes in j."""
        total = self.counts[i] + self.counts[j]
        share, other = self.counts[i] / total, self.counts[j] / total
        square = share**2 * self.squares[i] + other**2 * self.squares[j] + 2.0 * share * other * self.products[i, j]
        self.products[i] = share * self.products[i] + other * self.products[j]
        self.products[:, i] = self.products[i]
        self.products[i, i] = self.squares[i] = square
        self.counts[i], self.weights[i] = total, witnesses(total)
        self.size[i] = self._number_of_size(float(total))
        own = log_evidence(self.space, self.weights[i], self.weights[i] ** 2 * square)
        self.evidence[i] = share_of(self.prior) * own

    def _number_of_size(self, size: float) -> int:
        if size not in self.number_of:
            self.number_of[size] = len(self.sizes)
            self.sizes.append(size)
        return self.number_of[size]

    def _update_gains(self, i: int, j: int) -> None:
        gains = self._gains_of(np.array([i]), float(self.counts[i]))[0]
        self.gains[i] = self.gains[:, i] = gains
        self.best[i] = gains.argmax()
        self.best_gain[i] = gains[self.best[i]]
        better = gains > self.best_gain
        # Who had set eyes on i or j must look again, unless the merged cluster is better still.
        look_again = self.alive & ((self.best == i) | (self.best == j)) & ~better
        look_again[i] = False
        self.best[better], self.best_gain[better] = i, gains[better]
        for q in np.flatnonzero(look_again):
            self.best[q] = self.gains[q].argmax()
            self.best_gain[q] = self.gains[q, self.best[q]]
