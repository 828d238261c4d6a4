"""Images put to known classes and clusters one after the other, by the evidence that merging weighs."""

from __future__ import annotations

import numpy as np

from inkling.discovery.evidence import Joining
from inkling.discovery.space import Space
from inkling.types import FloatArray, IntArray

NONE = -1


class Online:
    """Known classes and clusters, which grow and become more with each image.

    Products with all means are taken for many images at once; a mean that moves has its own taken again.

    Parameters
    ----------
    space
        Its known classes come first, and stay what they are.
    means, counts
        Of all clusters: mean vectors, (m, d), and the images behind each, (m,).
    """

    def __init__(self, space: Space, means: FloatArray, counts: FloatArray) -> None:
        self._space, self._means, self._counts = space, means, counts
        self._squares = (means**2).sum(axis=1)
        self._terms = Joining.of(space, self._squares, counts).terms

    def take(self, Z: FloatArray, given: IntArray, same_as: IntArray) -> IntArray:
        """Put images Z (n, d) to clusters or into new ones, in order; the number of the cluster of each, (n,).

        Parameters
        ----------
        given
            Clusters of images that are as good as in one already, (n,); -1 for others.
        same_as
            The earlier one of these images that it looks like to the encoder, (n,); -1 where there is none.
        """
        m, n = len(self._counts), len(Z)
        self._make_room(n)
        products, between = np.empty((m + n, n)), Z @ Z.T
        products[:m] = self._means[:m] @ Z.T
        labels = np.asarray(given).copy()
        for at in range(n):
            if labels[at] == NONE and same_as[at] != NONE:
                labels[at] = labels[same_as[at]]
            if labels[at] != NONE:
                continue
            odds = Joining(*self._terms[:, :m]).odds(between[at, at], products[:m, at])
            best = int(odds.argmax())
            if odds[best] <= 0:
                best, m = m, m + 1
                self._open(best, Z[at], between[at, at])
            elif best >= self._space.n_classes:
                self._grow(best, Z[at])
            labels[at] = best
            if best >= self._space.n_classes:
                products[best, at + 1 :] = Z[at + 1 :] @ self._means[best]
        self._cut(m)
        return labels

    def _make_room(self, n: int) -> None:
        self._means = np.concatenate([self._means, np.zeros((n, self._means.shape[1]))])
        self._counts, self._squares = (np.concatenate([it, np.ones(n)]) for it in (self._counts, self._squares))
        self._terms = np.hstack([self._terms, np.zeros((len(self._terms), n))])

    def _cut(self, m: int) -> None:
        self._means, self._counts, self._squares = self._means[:m], self._counts[:m], self._squares[:m]
        self._terms = self._terms[:, :m]

    def _open(self, number: int, z: FloatArray, square: float) -> None:
        self._means[number], self._counts[number], self._squares[number] = z, 1.0, square
        self._weigh(number)

    def _grow(self, number: int, z: FloatArray) -> None:
        self._counts[number] += 1
        self._means[number] += (z - self._means[number]) / self._counts[number]
        self._squares[number] = self._means[number] @ self._means[number]
        self._weigh(number)

    def _weigh(self, number: int) -> None:
        rows = slice(number, number + 1)
        self._terms[:, rows] = Joining.of(self._space, self._squares[rows], self._counts[rows]).terms
