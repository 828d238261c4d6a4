"""Images of large clusters that a stream keeps without a vector: the nearest image that has one stands for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.discovery.buffer import Buffer, Columns
from inkling.discovery.pool import Pool
from inkling.types import BoolArray, FloatArray, IntArray

HELD = 100
"""Images of a cluster whose vectors are kept: twice as many as all that a cluster has can be worth as evidence."""
NOBODY = -1
PREFIX = "absorbed_"
"""Of the columns in a stream's state."""


@dataclass(frozen=True, eq=False)
class Absorbed(Columns):
    """One row an image without a vector.

    Attributes
    ----------
    number
        Which observation each is, (m,), ascending.
    host
        The observation whose vector stands for it, (m,); it is in that one's cluster.
    one_burst
        Whether it is of one burst with its host, (m,), and counts with it.
    picture, p_known, sources, hashes
        As in `Buffer`.
    """

    number: IntArray
    host: IntArray
    one_burst: BoolArray
    picture: IntArray
    p_known: FloatArray
    sources: NDArray[np.str_]
    hashes: NDArray[np.str_]

    @classmethod
    def none(cls) -> Absorbed:
        """Nothing yet."""
        whole, text = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="U1")
        return cls(whole, whole, np.zeros(0, dtype=bool), whole, np.zeros(0), text, text)

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]]) -> Absorbed:
        """Take the columns out of a stream's state; earlier releases have none."""
        return cls(**{name: arrays.pop(PREFIX + name, empty) for name, empty in cls.none().arrays().items()})

    def state(self) -> dict[str, NDArray[Any]]:
        """All columns as the state of a stream names them."""
        return {PREFIX + name: column for name, column in self.arrays().items()}

    def with_more(self, more: Absorbed) -> Absorbed:
        """With more images; whose host is among them has that one's host now."""
        host_of = dict(zip(more.number.tolist(), more.host.tolist(), strict=True))
        moved = np.array([host_of.get(host, host) for host in self.host.tolist()], dtype=np.int64)
        both = replace(self, host=moved).and_these(more)
        return both.only(np.argsort(both.number, kind="stable"))

    def moved(self, before: Buffer, after: Buffer) -> Absorbed:
        """Those whose host was let go are in the hands of another of its cluster, and go where there is none."""
        label = before.label[self.rows_of_hosts(before)]
        labels, first = np.unique(after.label, return_index=True)
        heirs = dict(zip(labels.tolist(), after.number[first].tolist(), strict=True))
        heir = np.array([heirs.get(one, NOBODY) for one in label.tolist()], dtype=np.int64)
        stays = np.isin(self.host, after.number)
        moved = replace(self, host=np.where(stays, self.host, heir), one_burst=self.one_burst & stays)
        return moved.of_hosts(after)

    def of_hosts(self, kept: Buffer) -> Absorbed:
        """Those whose host is still kept."""
        return self.only(np.isin(self.host, kept.number))

    def rows_of_hosts(self, kept: Buffer) -> IntArray:
        """Where in a buffer the host of each is, (m,)."""
        return np.searchsorted(kept.number, self.host)


def to_absorb(kept: Buffer, pool: Pool, *, first: int, held: IntArray) -> Absorbed:
    """What large clusters can do without: all but `HELD` images each, in the hands of the nearest that stays.

    Those that are alike go first, but for one. Of the others a draw stays that depends on no order: those whose
    numbers, scrambled, are least, so that what is kept of a cluster that grows is always a fair sample of all it had.

    Parameters
    ----------
    pool
        The same images.
    first
        Label from which on clusters are new.
    held
        Numbers of images that stay, such as those a person spoke of.
    """
    stays = np.isin(kept.number, held)
    chosen = []
    sizes = np.bincount(kept.label, minlength=first)
    for label in first + np.flatnonzero(sizes[first:] > HELD):
        rows = np.flatnonzero(kept.label == label)
        rows = rows[np.lexsort((_scrambled(kept.number[rows]), _nth_of_kind(pool.alike[rows]), ~stays[rows]))]
        hosts, gone = rows[:HELD], rows[HELD:][~stays[rows[HELD:]]]
        host = hosts[(pool.Z[gone] @ pool.Z[hosts].T).argmax(axis=1)]
        chosen.append(
            Absorbed(
                kept.number[gone],
                kept.number[host],
                pool.burst[gone] == pool.burst[host],
                kept.picture[gone],
                kept.p_known[gone],
                kept.sources[gone],
                kept.hashes[gone],
            )
        )
    return Absorbed.none().and_these(*chosen)


def with_absorbed(kept: Buffer, pool: Pool, absorbed: Absorbed) -> tuple[Pool, IntArray]:
    """Images with vectors and without as one pool, (n,) in the order of their numbers, and the row in `kept` of each.

    An image without a vector weighs as its host does, and counts as a picture unless it is a copy.
    """
    hosts = absorbed.rows_of_hosts(kept)
    order = np.argsort(np.concatenate([kept.number, absorbed.number]), kind="stable")
    rows = np.concatenate([np.arange(len(kept)), hosts])
    own = pool.burst.max(initial=-1) + 1 + np.arange(len(hosts))
    whole = replace(
        pool,
        Z=pool.Z[rows],
        p_known=np.concatenate([pool.p_known, absorbed.p_known]),
        picture=np.concatenate([pool.picture, absorbed.picture]),
        burst=np.concatenate([pool.burst, np.where(absorbed.one_burst, pool.burst[hosts], own)]),
        alike=pool.alike[rows],
        sources=np.unique(np.concatenate([kept.sources, absorbed.sources]), return_inverse=True)[1],
        together=pool.together[rows],
    )
    return whole.of_rows(order), rows[order]


def _nth_of_kind(alike: IntArray) -> IntArray:
    """How many with the same number come before each, (n,)."""
    order = np.argsort(alike, kind="stable")
    starts = np.flatnonzero(np.diff(alike[order], prepend=-1))
    nth = np.arange(len(alike)) - np.repeat(starts, np.diff(np.append(starts, len(alike))))
    out = np.empty(len(alike), dtype=np.intp)
    out[order] = nth
    return out


def _scrambled(numbers: IntArray) -> NDArray[np.uint64]:
    """Numbers as if drawn, each always the same (the finaliser of splitmix64, Steele et al. 2014)."""
    x = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
