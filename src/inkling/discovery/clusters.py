"""The pool sorted into known classes and clusters, and where each cluster stands among the known classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inkling.discovery.agglomerate import agglomerate
from inkling.discovery.pool import Items, Pool
from inkling.discovery.space import Space
from inkling.types import FloatArray, IntArray

AT_ONCE = 4000
"""Images sorted at once; the time and the memory grow with the square."""


def cluster(space: Space, pool: Pool) -> IntArray:
    """Sort images into the known classes, 0 to n_classes - 1, and new clusters, numbered from there, (n,).

    More than `AT_ONCE` images are sorted in blocks, and what the blocks found is merged.
    """
    groups, group = np.unique(pool.together, return_inverse=True)
    if len(groups) <= AT_ONCE:
        return _cluster_at_once(space, pool)
    blocks = -(-len(groups) // AT_ONCE)
    labels = np.empty(len(group), dtype=np.intp)
    free = space.n_classes
    for block in range(blocks):
        rows = np.flatnonzero(group % blocks == block)
        labels[rows] = shifted(_cluster_at_once(space, pool.of_rows(rows)), space.n_classes, free)
        free = max(free, int(labels[rows].max()) + 1)
    return merged(space, pool, labels)


def merged(space: Space, pool: Pool, labels: IntArray) -> IntArray:
    """Put clusters together, or into known classes, where one centre fits them better, (n,).

    Where there are too many, pictures that found no company stay alone.
    """
    sizes = np.bincount(labels, minlength=space.n_classes)
    several = len(np.unique(labels)) > AT_ONCE
    rows = np.flatnonzero((labels >= space.n_classes) & ((sizes[labels] > 1) | (not several)))
    out = labels.copy()
    again = _cluster_at_once(space, replace(pool.of_rows(rows), together=labels[rows]))
    out[rows] = shifted(again, space.n_classes, len(sizes))
    return renumbered(out, space.n_classes)


def shifted(labels: IntArray, n_classes: int, first: int) -> IntArray:
    """New clusters numbered from `first` on; known classes stay, (n,)."""
    return np.where(labels < n_classes, labels, labels - n_classes + first)


def _cluster_at_once(space: Space, pool: Pool) -> IntArray:
    items = Items.of(space, pool)
    roots = agglomerate(space, items.means, items.counts, apart=items.apart)
    return renumbered(roots[items.item], space.n_classes)


def renumbered(labels: IntArray, n_classes: int) -> IntArray:
    """New clusters numbered from `n_classes` in the order of their first image; known classes stay, (n,)."""
    new = labels >= n_classes
    _, first, number = np.unique(labels[new], return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    out = labels.copy()
    out[new] = n_classes + rank[number]
    return out


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a cluster stands among the known classes.

    Attributes
    ----------
    centre
        Mean of its pictures, those that are alike counted once, (d,).
    cohesion
        Mean cosine between two of them.
    nearest_class, distance
        The known class whose centre is nearest, and 1 - cosine to it in the whitened space.
    """

    centre: FloatArray
    cohesion: float
    nearest_class: int
    distance: float

    @classmethod
    def of(cls, space: Space, pool: Pool, rows: IntArray) -> Standing:
        """Measure one cluster."""
        distinct = rows[np.unique(pool.alike[rows], return_index=True)[1]]
        centre, n = pool.Z[distinct].mean(axis=0), len(distinct)
        square = float(centre @ centre)
        cohesion = (n * square - 1.0) / (n - 1) if n > 1 else 1.0
        lengths = np.linalg.norm(space.centres, axis=1) * np.sqrt(square)
        cosines = space.centres @ centre / np.where(lengths > 0, lengths, 1.0)
        return cls(centre, cohesion, int(cosines.argmax()), float(1.0 - cosines.max()))
