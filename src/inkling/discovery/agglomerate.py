"""Clusters by merging, always the two that gain most, until no merge is likelier than not."""

from __future__ import annotations

import numpy as np

from inkling.discovery.evidence import log_evidence, merging, share_of, witnesses
from inkling.discovery.space import Space
from inkling.types import BoolArray, FloatArray, IntArray


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
    """The matrix of gains, kept up to date merge by merge: O(n^2) memory, O(n) work a merge beside rare searches."""

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
        self.alive = np.ones(n, dtype=bool)
        self.parent = np.arange(n)
        self.gains = np.empty((n, n))
        for i in range(n):
            self.gains[i] = self._gains_of(i)
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

    def _gains_of(self, i: int) -> FloatArray:
        """Log odds for merging i with each; minus infinity where that is not allowed."""
        a, b = self.weights, self.weights[i]
        joined = a**2 * self.squares + b**2 * self.squares[i] + 2.0 * a * b * self.products[i]
        constant, slope = merging(self.space, np.array(self.sizes), self.counts[i], prior=self.prior)
        gains = constant[self.size] + slope[self.size] * joined - self.evidence - self.evidence[i]
        gains[~self.alive | self.apart[i]] = -np.inf
        gains[i] = -np.inf
        return np.asarray(gains)

    def _merge(self, i: int, j: int) -> None:
        self._move_mean(i, j)
        self.apart[i] |= self.apart[j]
        self.apart[:, i] |= self.apart[:, j]
        self.alive[j], self.parent[j] = False, i
        self.gains[j], self.gains[:, j], self.best_gain[j] = -np.inf, -np.inf, -np.inf
        self._update_gains(i, j)

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
        gains = self._gains_of(i)
        self.gains[i] = self.gains[:, i] = gains
        self.best[i] = gains.argmax()
        self.best_gain[i] = gains[self.best[i]]
        better = self.alive & (gains > self.best_gain)
        # Who had set eyes on i or j must look again, unless the merged cluster is better still.
        look_again = self.alive & ((self.best == i) | (self.best == j)) & ~better
        look_again[i] = False
        self.best[better], self.best_gain[better] = i, gains[better]
        for q in np.flatnonzero(look_again):
            self.best[q] = self.gains[q].argmax()
            self.best_gain[q] = self.gains[q, self.best[q]]
