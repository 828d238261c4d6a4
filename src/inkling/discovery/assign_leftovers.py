"""Images left alone that belong to a proposal all the same.

Merging asks which of two explanations is likelier, and leaves odd images of a class alone. Once the class is there, an
image that lies about where the class does, and nearer to it than to any known class and to any group of images that is
not proposed, is better placed with it.
"""

from __future__ import annotations

import numpy as np

from inkling.discovery.pool import Pool
from inkling.discovery.space import Space
from inkling.heads.support import unit_rows
from inkling.types import BoolArray, FloatArray, IntArray

NEARNESS = 0.5
"""Cosine to the centre that an image needs, as a share of that of the proposal's middle image."""


def assign_leftovers(
    space: Space, pool: Pool, clusters: list[IntArray], alone: IntArray, groups: IntArray
) -> list[IntArray]:
    """Clusters with the images `alone` (m,) that belong to them; rows ascending.

    What belongs together is taken in as a whole or not at all; images with a cannot-link are left alone.

    Parameters
    ----------
    groups
        Those of them with the same number are in one group, (m,).
    """
    if not clusters or not len(alone):
        return clusters
    centres = np.stack([unit_rows(pool.Z[rows].mean(axis=0, keepdims=True))[0] for rows in clusters])
    needed = NEARNESS * np.array([_middle_cosine(pool.Z[rows]) for rows in clusters])
    cosines = pool.Z[alone] @ centres.T
    to_known = (pool.Z[alone] @ unit_rows(space.centres).T).max(axis=1)
    nearest = cosines.argmax(axis=1)
    near = (cosines.max(axis=1) >= needed[nearest]) & (cosines.max(axis=1) > to_known)
    near &= cosines.max(axis=1) > _nearest_group(pool.Z[alone], groups)
    near &= ~np.isin(alone, pool.cannot_link)
    taken = near & _agreed(pool.together[alone], np.where(near, nearest, -1))
    return [np.union1d(rows, alone[taken & (nearest == at)]) for at, rows in enumerate(clusters)]


def _middle_cosine(Z: FloatArray) -> float:
    """Median cosine of an image to the centre of the others."""
    others = unit_rows(Z.sum(axis=0) - Z)
    return float(np.median((Z * others).sum(axis=1)))


def _nearest_group(Z: FloatArray, groups: IntArray) -> FloatArray:
    """Cosine of each image (n, d) to the nearest centre of a group, its own made from its other images, (n,)."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), Z.shape[1]))
    np.add.at(sums, group, Z)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return np.full(len(Z), -1.0)
    cosines = Z @ unit_rows(sums[several]).T
    own = np.flatnonzero(sizes[group] > 1)
    others = unit_rows(sums[group[own]] - Z[own])
    cosines[own, np.searchsorted(several, group[own])] = (Z[own] * others).sum(axis=1)
    return np.asarray(cosines.max(axis=1))


def _agreed(together: IntArray, choice: IntArray) -> BoolArray:
    """Whether all that belongs together chose the same, (m,)."""
    _, group = np.unique(together, return_inverse=True)
    lowest, highest = np.full(len(group), len(choice)), np.full(len(group), -1)
    np.minimum.at(lowest, group, choice)
    np.maximum.at(highest, group, choice)
    return np.asarray((lowest == highest)[group])
