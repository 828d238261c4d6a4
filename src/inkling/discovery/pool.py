"""The unlabelled images under examination, with what ties them together or keeps them apart.

Copies of an image count once: equal content, or vectors so near that the picture must be the same. What a person said
belongs together is one from the start; what they said does not is never joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray, IntArray

SAME_PICTURE = 0.99
"""Cosine in the whitened space from which two images count as one picture."""

CHUNK = 1024
"""Images compared with all others at a time."""

Pairs = Sequence[tuple[int, int]] | IntArray
"""Pairs of rows, (m, 2)."""


@dataclass(frozen=True, eq=False)
class Ties:
    """What ties images together or keeps them apart.

    Attributes
    ----------
    sources
        Where each image comes from. None: each picture is its own source.
    hashes
        Hash of each image's content; equal ones count once. None: only vectors tell copies.
    must_link, cannot_link
        Pairs of rows that a person said belong together, or do not.
    """

    sources: Sequence[object] | None = None
    hashes: Sequence[str] | None = None
    must_link: Pairs = ()
    cannot_link: Pairs = ()


@dataclass(frozen=True, eq=False)
class Pool:
    """Images in the whitened space.

    Attributes
    ----------
    Z
        Unit vectors, (n, d).
    p_known
        Conformal p-value of each, (n,).
    picture
        Images with the same number are copies of one picture, (n,).
    sources
        Where each comes from, as numbers, (n,): a video, a camera, a day.
    together
        Images with the same number belong together, (n,): copies, and what a person linked.
    cannot_link
        Pairs of images that must not be in one cluster, (m, 2).
    """

    Z: FloatArray
    p_known: FloatArray
    picture: IntArray
    sources: IntArray
    together: IntArray
    cannot_link: IntArray

    @classmethod
    def of(cls, Z: FloatArray, p_known: FloatArray, ties: Ties) -> Pool:
        """Images with the ties between them.

        Raises
        ------
        InputError
            If lengths disagree, a pair names a row that is not there, or two links contradict each other.
        """
        n = len(Z)
        must, cannot = as_pairs(ties.must_link, n, "must_link"), as_pairs(ties.cannot_link, n, "cannot_link")
        picture = components(n, numbered(ties.hashes, n, "hashes"), _near_copies(Z))
        own = picture if ties.sources is None else numbered(ties.sources, n, "sources")
        return check_links(cls(Z, p_known, picture, own, components(n, picture, must), cannot))

    def of_rows(self, rows: IntArray) -> Pool:
        """The pool of some rows alone; links to others are dropped."""
        place = np.full(len(self.Z), -1)
        place[rows] = np.arange(len(rows))
        pairs = place[self.cannot_link]
        kept = (pairs >= 0).all(axis=1) if len(pairs) else np.zeros(0, dtype=bool)
        return Pool(
            self.Z[rows],
            self.p_known[rows],
            self.picture[rows],
            self.sources[rows],
            self.together[rows],
            pairs[kept],
        )

    def n_pictures(self, rows: IntArray) -> int:
        """Images without copies."""
        return len(np.unique(self.picture[rows]))


@dataclass(frozen=True, eq=False)
class Items:
    """What clustering begins with: the known classes first, then groups of images that are one from the start.

    Attributes
    ----------
    means, counts
        Mean vector, (m, d), and number of pictures, (m,), of each.
    apart
        Pairs never to be joined, (m, m): any two known classes, and what a person said.
    item
        The item of each image in the pool, (n,).
    """

    means: FloatArray
    counts: FloatArray
    apart: BoolArray
    item: IntArray

    @classmethod
    def of(cls, space: Space, pool: Pool) -> Items:
        """Known classes and the groups of the pool."""
        from scipy.sparse import coo_array

        k = space.n_classes
        groups, item = np.unique(pool.together, return_inverse=True)
        # A picture weighs as much with ten copies as with one.
        _, picture, copies = np.unique(pool.picture, return_inverse=True, return_counts=True)
        weight = 1.0 / copies[picture]
        counts = np.bincount(item, weights=weight, minlength=len(groups))
        sums = coo_array((weight, (item, np.arange(len(item)))), shape=(len(groups), len(item))) @ pool.Z
        apart = np.zeros((k + len(groups), k + len(groups)), dtype=bool)
        apart[:k, :k] = True
        left, right = k + item[pool.cannot_link[:, 0]], k + item[pool.cannot_link[:, 1]]
        apart[left, right] = apart[right, left] = True
        return cls(
            np.concatenate([space.centres, sums / counts[:, None]]),
            np.concatenate([space.counts, counts]),
            apart,
            k + item,
        )


def _near_copies(Z: FloatArray) -> IntArray:
    """Pairs of images (m, 2) that are one picture by their vectors."""
    found = [np.zeros((0, 2), dtype=np.intp)]
    for start in range(0, len(Z), CHUNK):
        pairs = np.argwhere(Z[start : start + CHUNK] @ Z[start:].T >= SAME_PICTURE)
        found.append(start + pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def as_pairs(pairs: Pairs, n: int, name: str) -> IntArray:
    """Pairs of rows as an array (m, 2).

    Raises
    ------
    InputError
        If they are not pairs of rows 0 to n - 1.
    """
    array = np.asarray(pairs, dtype=np.intp).reshape(-1, 2) if len(pairs) else np.zeros((0, 2), dtype=np.intp)
    if len(array) and not ((array >= 0) & (array < n)).all():
        raise InputError(f"{name} must be pairs of rows from 0 to {n - 1}, got {array.min()} to {array.max()}.")
    return array


def numbered(values: Sequence[object] | None, n: int, name: str) -> IntArray:
    """Equal values as equal numbers, (n,); without values all differ.

    Raises
    ------
    InputError
        If there is not one value for each of the n images.
    """
    if values is None:
        return np.arange(n)
    if len(values) != n:
        raise InputError(f"{name} must name one for each of the {n} images, got {len(values)}.")
    return np.asarray(np.unique([str(value) for value in values], return_inverse=True)[1])


def components(n: int, numbers: IntArray, pairs: IntArray) -> IntArray:
    """Number of the group of each, (n,): equal `numbers` (n,) are one group, and so are pairs (m, 2)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    order = np.argsort(numbers, kind="stable")
    equal = numbers[order[1:]] == numbers[order[:-1]]
    left = np.concatenate([order[:-1][equal], pairs[:, 0]])
    right = np.concatenate([order[1:][equal], pairs[:, 1]])
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def check_links(pool: Pool) -> Pool:
    """The pool, if no link contradicts another.

    Raises
    ------
    InputError
        If two images that must not be in one cluster are tied together.
    """
    left, right = pool.cannot_link.T
    contradicting = pool.cannot_link[pool.together[left] == pool.together[right]]
    if len(contradicting):
        raise InputError(
            f"Images {contradicting[0].tolist()} must not be in one cluster, yet copies or links tie them together.",
            remedy="Take back one of the two links.",
        )
    return pool
