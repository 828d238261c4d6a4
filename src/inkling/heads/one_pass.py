"""What one pass over any number of vectors keeps of them: statistics of the classes, and a sample of each.

Counts, sums and the scatter within classes of two halves are merged by the updates of Chan, Golub and LeVeque (1983),
in float64. The halves are the images that heads learn from first and those held out to calibrate them, about a fifth;
the final head is of both. A sample of each class holds the images with the smallest keys, which hash their vectors
(bottom-k sampling: Cohen and Kaplan 2007), so it does not depend on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.heads.standardization import Standardization
from inkling.heads.statistics import Statistics
from inkling.heads.support import unit_blocks
from inkling.types import BoolArray, FloatArray, IntArray

MOST_OF_A_CLASS = 1_000
"""Images of a class that the sample has at most."""
LEAST_OF_A_CLASS = 2
SAMPLE = 100_000
"""Images that the sample has about, where classes are many: each has its share."""
HELD_OUT = 5
"""One image in so many is held out, with all others of its source."""
_ROWS = 8_192

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Looking:
    """How vectors are looked at.

    Attributes
    ----------
    embedding_dims
        Length of the embedding, the first columns.
    space
        Space of the experts of `auto`; None for heads that take vectors as they are.
    seed
        Draws the sample and what is held out.
    """

    embedding_dims: int
    space: Standardization | None
    seed: int


@dataclass(frozen=True, eq=False)
class Sample:
    """Some images of each class.

    Attributes
    ----------
    X
        Vectors (n, d + f) as they were.
    y
        Class of each, (n,).
    keys
        That decide who is in the sample, (n,).
    held_out
        Which of them are of the half that is held out, (n,).
    about
        Path, content hash and group of each.
    """

    X: FloatArray
    y: IntArray
    keys: Keys
    held_out: BoolArray
    about: NDArray[Any]

    def only(self, rows: IntArray) -> Sample:
        """Some of the images."""
        return Sample(self.X[rows], self.y[rows], self.keys[rows], self.held_out[rows], self.about[rows])

    def smallest(self, n_classes: int) -> Sample:
        """As many of each class as the sample may have, those with the smallest keys; of copies one."""
        order = np.lexsort((self.keys, self.y))
        y, keys = self.y[order], self.keys[order]
        repeated = np.zeros(len(y), dtype=bool)
        repeated[1:] = (y[1:] == y[:-1]) & (keys[1:] == keys[:-1])
        order, y = order[~repeated], y[~repeated]
        counts = np.bincount(y, minlength=n_classes)
        rank = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self.only(order[rank < per_class(n_classes)])

    def and_also(self, other: Sample) -> Sample:
        """With the images of another."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sample(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class Seen:
    """What was kept of some images.

    Attributes
    ----------
    classes
        Names of the columns, in the order in which they were met.
    halves
        Statistics of the images to learn from, and of those held out.
    sample
        Some of them.
    """

    classes: tuple[str, ...]
    halves: tuple[Statistics, Statistics]
    sample: Sample

    @property
    def n_images(self) -> int:
        """All images seen."""
        return int(sum(half.counts.sum() for half in self.halves))

    def in_order(self, classes: Sequence[str]) -> Seen:
        """With columns in this order, classes without images among them."""
        column = {name: k for k, name in enumerate(classes)}
        to = np.array([column[name] for name in self.classes], dtype=np.int64)
        halves = (_moved(self.halves[0], to, len(classes)), _moved(self.halves[1], to, len(classes)))
        sample = replace(self.sample, y=to[self.sample.y])
        return Seen(tuple(classes), halves, sample.only(np.lexsort((sample.keys, sample.y))))


def per_class(n_classes: int) -> int:
    """Images of a class that the sample has at most."""
    return min(MOST_OF_A_CLASS, max(LEAST_OF_A_CLASS, SAMPLE // max(n_classes, 1)))


def look(X: FloatArray, y: IntArray, classes: Sequence[str], about: NDArray[Any], groups: Keys, how: Looking) -> Seen:
    """What is kept of vectors X (n, d + f) with classes y (n,).

    Parameters
    ----------
    about
        Path, content hash and group of each, (n, 3).
    groups
        A number for the source of each, (n,): images of one source share it; 0 for those that are their own.
    """
    keys = vector_keys(X, how.seed)
    held = _mixed(np.where(groups == 0, keys, groups) + np.uint64(1)) % np.uint64(HELD_OUT) == 0
    halves = tuple(_statistics(X[half], y[half], len(classes), how) for half in (~held, held))
    everything = Sample(X, y, keys, held, about)
    return Seen(tuple(classes), (halves[0], halves[1]), everything.smallest(len(classes)))


def vector_keys(X: FloatArray, seed: int) -> Keys:
    """A number for each vector (n, d), equal for equal ones: multilinear hashing (Lemire and Kaser 2014)."""
    words = np.ascontiguousarray(np.asarray(X, dtype=np.float32)).view(np.uint32)
    factors = np.random.default_rng(seed).integers(1, 2**63, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
    keys = np.empty(len(words), dtype=np.uint64)
    for at in range(0, len(words), _ROWS):
        keys[at : at + _ROWS] = (words[at : at + _ROWS] * factors).sum(axis=1, dtype=np.uint64)
    return _mixed(keys)


def _mixed(keys: Keys) -> Keys:
    """Each bit of a key spread over all (the finalizer of SplitMix64: Steele, Lea and Flood 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _statistics(X: FloatArray, y: IntArray, n_classes: int, how: Looking) -> Statistics:
    """Of one half. Blocks of rows are raised to float64, and never all of them."""
    counts = np.bincount(y, minlength=n_classes)
    plain = unit_blocks(X, how.embedding_dims)
    mapped = plain if how.space is None else how.space(plain)
    plain_sums = _class_sums(plain, y, n_classes)
    sums = plain_sums if how.space is None else _class_sums(mapped, y, n_classes)
    means = sums / np.maximum(counts, 1)[:, None]
    scatter = np.zeros((X.shape[1], X.shape[1]))
    for at in range(0, len(X), _ROWS):
        residuals = mapped[at : at + _ROWS] - means[y[at : at + _ROWS]]
        scatter += residuals.T @ residuals
    return Statistics(counts, plain_sums, sums, scatter)


def _class_sums(X: FloatArray, y: IntArray, n_classes: int) -> FloatArray:
    """Class sums (n_classes, d) of rows X (n, d)."""
    from scipy.sparse import csr_array

    sums = np.zeros((n_classes, X.shape[1]))
    for at in range(0, len(X), _ROWS):
        rows = X[at : at + _ROWS].astype(np.float64)
        where = y[at : at + _ROWS], np.arange(len(rows))
        sums += csr_array((np.ones(len(rows)), where), shape=(n_classes, len(rows))) @ rows
    return sums


class Tally:
    """Adds up what was kept of one chunk of images after another; their order decides the last bits, and nothing else.

    Parameters
    ----------
    n_dims
        Length of a vector.
    """

    def __init__(self, n_dims: int) -> None:
        self._column: dict[str, int] = {}
        self._halves = (_Half(n_dims), _Half(n_dims))
        self._sample: Sample | None = None

    def add(self, seen: Seen) -> None:
        """Take in a chunk."""
        to = np.array([self._column.setdefault(name, len(self._column)) for name in seen.classes], dtype=np.int64)
        for half, more in zip(self._halves, seen.halves, strict=True):
            half.add(more, to, len(self._column))
        sample = replace(seen.sample, y=to[seen.sample.y])
        both = sample if self._sample is None else self._sample.and_also(sample)
        self._sample = both.smallest(len(self._column))

    def total(self) -> Seen | None:
        """Everything; None where nothing came."""
        if self._sample is None:
            return None
        n_classes = len(self._column)
        first, second = (half.statistics(n_classes) for half in self._halves)
        return Seen(tuple(self._column), (first, second), self._sample)


class _Half:
    """Statistics that grow in place: with many classes, copies would take as long as the work itself."""

    def __init__(self, n_dims: int) -> None:
        self._counts = np.zeros(0, dtype=np.int64)
        self._plain_sums, self._sums = np.zeros((0, n_dims)), np.zeros((0, n_dims))
        self._scatter = np.zeros((n_dims, n_dims))

    def add(self, more: Statistics, to: IntArray, n_classes: int) -> None:
        """Add statistics whose columns are these."""
        if n_classes > len(self._counts):
            room = max(n_classes, 2 * len(self._counts)) - len(self._counts)
            self._counts = np.pad(self._counts, (0, room))
            self._plain_sums, self._sums = (np.pad(one, ((0, room), (0, 0))) for one in (self._plain_sums, self._sums))
        met_again = np.flatnonzero((self._counts[to] > 0) & (more.counts > 0))
        before, after = self._counts[to[met_again]], more.counts[met_again]
        shift = more.sums[met_again] / after[:, None] - self._sums[to[met_again]] / before[:, None]
        shift *= np.sqrt(before * after / (before + after))[:, None]
        self._scatter += more.scatter + shift.T @ shift
        self._counts[to] += more.counts
        self._plain_sums[to] += more.plain_sums
        self._sums[to] += more.sums

    def statistics(self, n_classes: int) -> Statistics:
        """As they are now."""
        return Statistics(self._counts[:n_classes], self._plain_sums[:n_classes], self._sums[:n_classes], self._scatter)


def _moved(half: Statistics, to: IntArray, n_classes: int) -> Statistics:
    counts = np.zeros(n_classes, dtype=np.int64)
    plain_sums, sums = (np.zeros((n_classes, half.sums.shape[1])) for _ in range(2))
    counts[to], plain_sums[to], sums[to] = half.counts, half.plain_sums, half.sums
    return Statistics(counts, plain_sums, sums, half.scatter)


def together(one: Statistics, other: Statistics) -> Statistics:
    """Of the images of two halves with the same columns."""
    both = _Half(one.sums.shape[1])
    for half in (one, other):
        both.add(half, np.arange(len(half.counts)), len(half.counts))
    return both.statistics(len(one.counts))
