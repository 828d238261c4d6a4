"""The unlabelled images under examination, with what ties them together or keeps them apart.

Near-duplicates count as one picture: equal content, or vectors and perceptual hashes that are both next to equal.
Vectors alone decide where there is no hash. An encoder that reads little of a picture gives nearly the same vector to
different ones: they are several pictures, but as evidence they are one, for the encoder has said one thing of them.
Frames of a burst are several pictures and one source: more alike than images of one class are, measured by the scatter
within the known classes and by the images around them. They count once as well. What a person said belongs together is
one from the start; what they said does not is never joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray, IntArray

SAME_PICTURE = 0.99
"""Cosine in the whitened space from which two images may be one picture."""

DIFFERENT_BITS = 10
"""Bits of 64 in which the perceptual hashes of one picture may differ: 95 % of crops by 4 % and of JPEG copies do, and
0.03 % of pairs of different photographs."""

UNHASHED = 0
"""Stands for the perceptual hash of an image that has none, or none that tells: that of a plain surface is 0."""

NEIGHBOURS = 20
NEARER = 0.2
"""Two frames of a burst differ by at most this share of how far the `NEIGHBOURS`-th nearest image is; a burst that is
longer is none."""

ROUNDED = 1e-5
"""More than a cosine of unit vectors loses in float32."""
CHUNK = 1024
"""Images compared with all others at a time."""

Pairs = Sequence[tuple[int, int]] | IntArray
"""Pairs of rows, (m, 2)."""
LooksArray = NDArray[np.uint64]
"""Perceptual hashes of 64 bits, (n,)."""


@dataclass(frozen=True, eq=False)
class Ties:
    """What ties images together or keeps them apart.

    Attributes
    ----------
    sources
        Where each image comes from. None: each picture is its own source.
    hashes
        Hash of each image's content; equal ones count once. None: only vectors tell copies.
    looks
        Perceptual hash of each image, (n,), 0 where there is none: near-duplicates are those whose vectors and hashes
        are alike. None: vectors alone tell.
    must_link, cannot_link
        Pairs of rows that a person said belong together, or do not.
    """

    sources: Sequence[object] | None = None
    hashes: Sequence[str] | None = None
    looks: LooksArray | None = None
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
    burst
        Images with the same number are of one burst, (n,), copies among them. They count as one.
    alike
        Images with the same number have next to the same vector, (n,): bursts, and pictures that the encoder can't
        tell apart. They weigh as one.
    sources
        Where each comes from, as numbers, (n,): a video, a camera, a day.
    together
        Images with the same number belong together, (n,): those that are alike, and what a person linked.
    cannot_link
        Pairs of images that must not be in one cluster, (m, 2).
    """

    Z: FloatArray
    p_known: FloatArray
    picture: IntArray
    burst: IntArray
    alike: IntArray
    sources: IntArray
    together: IntArray
    cannot_link: IntArray

    @classmethod
    def of(cls, Z: FloatArray, p_known: FloatArray, ties: Ties, *, one_source: float = np.inf) -> Pool:
        """Images with the ties between them.

        Parameters
        ----------
        one_source
            Cosine from which two images are of one burst.

        Raises
        ------
        InputError
            If lengths disagree, a pair names a row that is not there, or two links contradict each other.
        """
        n = len(Z)
        must, cannot = as_pairs(ties.must_link, n, "must_link"), as_pairs(ties.cannot_link, n, "cannot_link")
        content = numbered(ties.hashes, n, "hashes")
        near = near_vectors(Z, SAME_PICTURE)
        copies = near if ties.looks is None else near[look_alike(*ties.looks[near.T])]
        if len(cannot):
            copies = _copies_without_contradiction(copies, components(n, content, must), cannot)
        picture = components(n, content, copies)
        frames = burst_pairs(Z, one_source)
        burst = without_contradiction(components(n, picture, frames), picture, must, cannot)
        alike = without_contradiction(components(n, burst, near), picture, must, cannot)
        own = burst if ties.sources is None else numbered(ties.sources, n, "sources")
        return check_links(cls(Z, p_known, picture, burst, alike, own, components(n, alike, must), cannot))

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
            self.burst[rows],
            self.alike[rows],
            self.sources[rows],
            self.together[rows],
            pairs[kept],
        )

    def n_pictures(self, rows: IntArray) -> int:
        """Images without copies."""
        return len(np.unique(self.picture[rows]))

    def n_bursts(self, rows: IntArray) -> int:
        """Images of which a burst counts as one."""
        return len(np.unique(self.burst[rows]))


@dataclass(frozen=True, eq=False)
class Items:
    """What clustering begins with: the known classes first, then groups of images that are one from the start.

    Attributes
    ----------
    means, counts
        Mean vector, (m, d), and number of pictures that are not alike, (m,), of each.
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
        # A vector weighs as much with ten images as with one.
        _, alike, n_alike = np.unique(pool.alike, return_inverse=True, return_counts=True)
        weight = 1.0 / n_alike[alike]
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


def near_vectors(Z: FloatArray, least: float) -> IntArray:
    """Pairs of images (m, 2) whose unit vectors, of (n, d), have a cosine of `least` or more.

    All are compared in float32, which takes half as long, and those that this can't tell once more.
    """
    found = [np.zeros((0, 2), dtype=np.intp)]
    coarse = Z.astype(np.float32)
    for start in range(0, len(Z), CHUNK):
        cosines = coarse[start : start + CHUNK] @ coarse[start:].T
        pairs = np.argwhere(np.triu(cosines >= least - ROUNDED, 1))
        near = cosines[pairs[:, 0], pairs[:, 1]] >= least + ROUNDED
        pairs += start
        first, second = pairs[~near].T
        rows, at = np.unique(first, return_inverse=True)
        near[~near] = (Z[rows] @ Z.T)[at, second] >= least
        found.append(pairs[near])
    return np.concatenate(found)


def burst_pairs(Z: FloatArray, one_source: float) -> IntArray:
    """Pairs of images (m, 2), with unit vectors of (n, d), that are of one burst.

    Their cosine is `one_source` or more, and they are as near to each other relative to where the `NEIGHBOURS`-th
    nearest image is: of a kind that the known classes say little about, all images look alike. Equal vectors are none,
    for they do not say where an image is from.
    """
    pairs = near_vectors(Z, one_source)
    first, second = pairs.T
    cosine = (Z[first] * Z[second]).sum(axis=1)
    rows, at = np.unique(pairs, return_inverse=True)
    farther = 1.0 - _cosine_of_neighbour(Z, rows)[at.reshape(pairs.shape)].max(axis=1, initial=-1.0)
    return np.asarray(pairs[(cosine < SAME_PICTURE) & (1.0 - cosine <= NEARER * farther)])


def _cosine_of_neighbour(Z: FloatArray, rows: IntArray) -> FloatArray:
    """Cosine of some images (m,) to their `NEIGHBOURS`-th nearest one, (m,); -1 where there are fewer."""
    if len(Z) <= NEIGHBOURS:
        return np.full(len(rows), -1.0)
    found = [np.zeros(0)]
    for start in range(0, len(rows), CHUNK):
        cosines = Z[rows[start : start + CHUNK]] @ Z.T
        found.append(np.partition(cosines, len(Z) - 1 - NEIGHBOURS, axis=1)[:, len(Z) - 1 - NEIGHBOURS])
    return np.concatenate(found)


def look_alike(first: LooksArray, second: LooksArray) -> BoolArray:
    """Whether perceptual hashes may be of one picture; where one is missing, they may."""
    unknown = (first == UNHASHED) | (second == UNHASHED)
    return np.asarray(unknown | (np.bitwise_count(first ^ second) <= DIFFERENT_BITS))


def _copies_without_contradiction(pairs: IntArray, groups: IntArray, cannot: IntArray) -> IntArray:
    """Pairs that join no two images that must not be together, beside the `groups` (n,) that are together already."""
    group = groups.copy()
    kept = []
    for first, second in pairs:
        left, right = group[cannot].T
        mine, theirs = group[first], group[second]
        if mine == theirs or not (((left == mine) & (right == theirs)) | ((left == theirs) & (right == mine))).any():
            kept.append((first, second))
            group[group == theirs] = mine
    return np.array(kept, dtype=np.intp).reshape(-1, 2)


def without_contradiction(alike: IntArray, picture: IntArray, must: IntArray, cannot: IntArray) -> IntArray:
    """Numbers of those that are alike, (n,), where that doesn't tie together what a person said is apart.

    There, each picture stands for itself.
    """
    together = components(len(alike), alike, must)
    left, right = together[cannot].T
    torn = np.isin(together, left[left == right])
    return np.where(torn, alike.max(initial=0) + 1 + picture, alike)


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
