"""The scatter of a few classes together, for many images at once: each has its own candidates.

A = v I + sum R_k'R_k over the candidates has the inverse (I - R'(v I + R R')^-1 R) / v (Woodbury), with R the
residuals of the candidates stacked. Systems of one size are solved together, from products of residuals that are
worked out once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from inkling.types import FloatArray, IntArray

BATCH = 64
"""Sets of candidates solved together; their systems stay in the processor's cache."""


class Correction(NamedTuple):
    """What the residuals of an image's candidates explain, (n, n_candidates) but for `growth` (n, 1).

    Attributes
    ----------
    read
        x'R'(v I + R R')^-1 R m_k.
    explained
        m_k'R'(v I + R R')^-1 R m_k.
    growth
        (v + degrees of freedom) / v.
    """

    read: FloatArray
    explained: FloatArray
    growth: FloatArray


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Residuals of the classes, sorted by class, and their means, in coordinates in which they differ.

    Attributes
    ----------
    residuals
        (n + 1, r); the last is zero and stands in where a class has fewer than another.
    counts
        Residuals of each class, (n_classes,).
    means
        (n_classes, r).
    degrees
        Degrees of freedom of each class's scatter, (n_classes,).
    prior_images
        Worth v of the pooled covariance, in images.
    """

    residuals: FloatArray
    counts: IntArray
    means: FloatArray
    degrees: FloatArray
    prior_images: float

    @classmethod
    def of(
        cls, residuals: FloatArray, y: IntArray, *, means: FloatArray, degrees: FloatArray, prior_images: float
    ) -> Neighbourhood:
        """Of residuals (n, r) with their class indices (n,)."""
        ordered = np.concatenate([residuals[np.argsort(y, kind="stable")], np.zeros_like(residuals[:1])])
        return cls(ordered, np.bincount(y, minlength=len(means)), means, degrees, prior_images)

    def look(self, along: FloatArray, candidates: IntArray) -> Correction:
        """What the residuals of the candidates (n, n_candidates), sorted, explain of rows (n, r) and of the means."""
        sets, which = np.unique(candidates, axis=0, return_inverse=True)
        which = which.ravel()
        read, explained = np.empty(candidates.shape), np.empty(sets.shape)
        # Sets whose classes have equally many residuals come together, so that little is filled up with zeros.
        by_size = np.argsort(self.counts[sets].max(axis=1), kind="stable")
        of_rows = self._rows_on_residuals(along, candidates)
        for batch in np.array_split(by_size, -(-len(sets) // BATCH)):
            index = self.padded(sets[batch])
            means = self._means(index, sets[batch], len(sets))
            solved = np.linalg.solve(self._systems(index, len(sets)), means)
            explained[batch] = (means * solved).sum(axis=1)
            rows, place = _members(which, batch, len(sets))
            mine = of_rows[rows][:, :, : index.shape[1] // sets.shape[1]].reshape(len(rows), -1)
            read[rows] = np.matmul(mine[:, None], solved[place])[:, 0]
        growth = 1.0 + self.degrees[candidates].sum(axis=1, keepdims=True) / self.prior_images
        return Correction(read, explained[which], growth)

    def padded(self, sets: IntArray) -> IntArray:
        """Numbers of the residuals of each set's classes, filled up with that of the zero one, (n_sets, m)."""
        counts = self.counts[sets]
        offsets = np.arange(max(int(counts.max()), 1))
        index = np.where(
            offsets < counts[:, :, None], self._starts[sets][:, :, None] + offsets, len(self.residuals) - 1
        )
        return np.asarray(index.reshape(len(sets), -1))

    def _systems(self, index: IntArray, n_sets: int) -> FloatArray:
        """v I + R R' of each set, (n_sets, m, m)."""
        m = index.shape[1]
        if n_sets * m * m > len(self.residuals) ** 2:
            inner = self._products[index[:, :, None], index[:, None, :]]
        else:
            R = self.residuals[index]
            inner = R @ R.transpose(0, 2, 1)
        inner = inner.astype(np.float64)
        inner[:, np.arange(m), np.arange(m)] += self.prior_images
        return np.asarray(inner)

    def _means(self, index: IntArray, sets: IntArray, n_sets: int) -> FloatArray:
        """R m_k of each set's candidates, (n_sets, m, n_candidates); of all classes only where that is less work."""
        if n_sets * index.shape[1] * sets.shape[1] > len(self.residuals) * len(self.means):
            return np.asarray(self._means_on_residuals[index[:, :, None], sets[:, None, :]])
        return np.asarray(self.residuals[index] @ self.means[sets].transpose(0, 2, 1))

    def _rows_on_residuals(self, along: FloatArray, candidates: IntArray) -> FloatArray:
        """Products of each row with the residuals of its candidates, (n, n_candidates, largest count)."""
        found = np.zeros((*candidates.shape, max(int(self.counts[candidates].max()), 1)), dtype=along.dtype)
        for k, (rows, slots) in _by_class(candidates):
            start, count = self._starts[k], self.counts[k]
            found[rows, slots, :count] = along[rows] @ self.residuals[start : start + count].T
        return found

    @cached_property
    def _starts(self) -> IntArray:
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def _products(self) -> FloatArray:
        """R R' of all residuals, (n + 1, n + 1)."""
        return np.asarray(self.residuals @ self.residuals.T)

    @cached_property
    def _means_on_residuals(self) -> FloatArray:
        """R m_k of all, (n + 1, n_classes)."""
        return np.asarray(self.residuals @ self.means.T)


def _by_class(candidates: IntArray) -> Iterator[tuple[int, tuple[IntArray, IntArray]]]:
    """Each class that is a candidate, with the rows and slots where it is one."""
    flat = candidates.ravel()
    order = np.argsort(flat, kind="stable")
    classes, first = np.unique(flat[order], return_index=True)
    for k, cells in zip(classes.tolist(), np.split(order, first[1:]), strict=True):
        yield k, np.divmod(cells, candidates.shape[1])


def _members(which: IntArray, batch: IntArray, n_sets: int) -> tuple[IntArray, IntArray]:
    """Rows whose set is in the batch, and its place there."""
    place = np.full(n_sets, -1)
    place[batch] = np.arange(len(batch))
    rows = np.flatnonzero(place[which] >= 0)
    return rows, place[which[rows]]
