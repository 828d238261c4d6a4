"""Images that were put to a known class and lean apart from it together, such as buses among trucks.

A class that resembles a known one comes to it, since one more explanation must pay for itself, and large classes grow.
Among the images of one class alone the question is put without that prior: one centre, or two. A part that stands apart
is reported if its images are also less like the known classes than chance allows; images of the class itself, of
another kind or light, stand apart too.
"""

from __future__ import annotations

import numpy as np

from inkling.discovery.agglomerate import agglomerate
from inkling.discovery.clusters import AT_ONCE
from inkling.discovery.pool import Pool
from inkling.discovery.results import Leaning
from inkling.discovery.space import Space
from inkling.types import IntArray

LOW = 0.2
"""p-values up to this are counted; known images have as many of them."""
LEVEL = 0.01
"""That chance gives any class a part with so many low p-values."""


def leaning(space: Space, pool: Pool, known_class: IntArray, *, gate: float, min_images: int) -> tuple[Leaning, ...]:
    """Parts of known classes that lean apart, largest first.

    Parameters
    ----------
    known_class
        Known class that each image was sorted to, (n,); -1 for others.
    gate
        Images with p-values above it may be missing.
    min_images
        Pictures that a part needs; copies and bursts count once.
    """
    # Where images with high p-values are missing, as in a stream, low ones are the commoner among those left.
    low = LOW if (pool.p_known > gate).any() else LOW / gate
    found = [
        Leaning(k, part, int((known_class == k).sum()))
        for k in range(space.n_classes)
        for part in _parts(space, pool, np.flatnonzero(known_class == k), k)
        if pool.n_bursts(part) >= min_images and _by_chance(pool, part, low) * space.n_classes <= LEVEL
    ]
    return tuple(sorted(found, key=lambda it: (-len(it.rows), int(it.rows[0]))))


def _parts(space: Space, pool: Pool, rows: IntArray, known_class: int) -> list[IntArray]:
    """Clusters of a known class's images that do not join its centre."""
    # Those least like the known classes first, where there are more than are sorted at once.
    rows = np.sort(rows[np.argsort(pool.p_known[rows], kind="stable")][:AT_ONCE])
    means = np.concatenate([space.centres[[known_class]], pool.Z[rows]])
    counts = np.concatenate([space.counts[[known_class]], np.ones(len(rows))])
    apart = np.zeros((len(means), len(means)), dtype=bool)
    roots = agglomerate(space, means, counts, apart=apart, prior=False)
    return [rows[roots[1:] == root] for root in np.unique(roots[1:]) if root != roots[0]]


def _by_chance(pool: Pool, rows: IntArray, low: float) -> float:
    """Probability that as many p-values of known images are low, where the share `low` of them is."""
    from scipy.stats import binom

    first = rows[np.unique(pool.burst[rows], return_index=True)[1]]
    return float(binom.sf((pool.p_known[first] <= LOW).sum() - 1, len(first), low))
