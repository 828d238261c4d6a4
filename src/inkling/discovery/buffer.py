"""The candidates that a stream keeps: their vectors, where they come from, and the cluster each is in."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from inkling.discovery.pool import LooksArray, Pool, burst_pairs, components, without_contradiction
from inkling.types import BoolArray, FloatArray, IntArray


class Columns:
    """Rows as columns of one length: what dataclasses of arrays share."""

    def __len__(self) -> int:
        return len(next(iter(self.arrays().values())))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All columns by name."""
        return {it.name: getattr(self, it.name) for it in fields(cast(Any, self))}

    def only(self, rows: BoolArray | IntArray) -> Self:
        """Some rows alone."""
        return type(self)(**{name: column[rows] for name, column in self.arrays().items()})

    def and_these(self, *more: Self) -> Self:
        """With more rows after them."""
        parts = [one.arrays() for one in (self, *more)]
        return type(self)(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


@dataclass(frozen=True, eq=False)
class Buffer(Columns):
    """One row an image, in the order of observation.

    Attributes
    ----------
    X
        Vectors, (m, d) float32.
    p_known
        Conformal p-values, (m,).
    number
        Which observation each is, (m,), ascending.
    picture
        Copies of one picture share a number, (m,).
    alike
        Images that the encoder can't tell apart share a number, (m,), copies among them.
    label
        Known class or cluster, (m,).
    sources, hashes
        As told; the hash of an image without one is empty, (m,) text.
    looks
        Perceptual hashes, (m,), as in `inkling.discovery.pool`.
    """

    X: NDArray[np.float32]
    p_known: FloatArray
    number: IntArray
    picture: IntArray
    alike: IntArray
    label: IntArray
    sources: NDArray[np.str_]
    hashes: NDArray[np.str_]
    looks: LooksArray

    @classmethod
    def none(cls, d: int) -> Buffer:
        """Nothing yet."""
        whole, text = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="U1")
        return cls(
            np.zeros((0, d), dtype=np.float32),
            np.zeros(0),
            whole,
            whole,
            whole,
            whole,
            text,
            text,
            np.zeros(0, dtype=np.uint64),
        )

    def labelled(self, label: IntArray) -> Buffer:
        """With other labels."""
        return replace(self, label=label)

    def pool(self, Z: FloatArray, one_source: float, must_link: IntArray, cannot_link: IntArray) -> Pool:
        """These images, whose vectors in the whitened space are Z (m, d), as a pool.

        Links are pairs of observation numbers, and count where both are kept; `one_source` is that of `Pool.of`.
        """
        m = len(self)
        must, cannot = self._rows_of(must_link), self._rows_of(cannot_link)
        frames = burst_pairs(Z, one_source)
        burst = without_contradiction(components(m, self.picture, frames), self.picture, must, cannot)
        alike = without_contradiction(components(m, self.alike, frames), self.picture, must, cannot)
        sources = np.unique(self.sources, return_inverse=True)[1]
        together = components(m, alike, must)
        return Pool(Z, self.p_known, self.picture, burst, alike, sources, together, cannot)

    def _rows_of(self, pairs: IntArray) -> IntArray:
        """Pairs of numbers as pairs of rows; pairs with an image that is gone are left out."""
        kept = np.isin(pairs, self.number).all(axis=1)
        return np.searchsorted(self.number, pairs[kept])
