"""What closed-form heads need of their examples: class counts, class sums and one scatter matrix.

Classes are added and removed by adding and subtracting what their examples contribute, so a head of 100,000 examples is
fitted again without reading them (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inkling.heads.scatter import Scatter, class_means, principal
from inkling.heads.support import Support
from inkling.types import FloatArray, IntArray

ROUNDING = float(np.finfo(np.float32).eps)
"""Examples are float32."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of examples in two spaces: as they are, and as the experts see them.

    Attributes
    ----------
    counts
        Examples of each class, (n_classes,).
    plain_sums
        Class sums of examples with unit blocks, (n_classes, n_dims).
    sums
        Class sums in the space of the experts, (n_classes, n_dims).
    scatter
        Scatter about the class means there, (n_dims, n_dims).
    """

    counts: IntArray
    plain_sums: FloatArray
    sums: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, plain: FloatArray, mapped: FloatArray, y: IntArray, n_classes: int) -> Self:
        """Of examples (n, n_dims) in both spaces, with their class indices (n,)."""
        counts = np.bincount(y, minlength=n_classes)
        plain_sums, sums = (np.nan_to_num(class_means(X, y, n_classes)) * counts[:, None] for X in (plain, mapped))
        residuals = mapped - (sums / np.maximum(counts, 1)[:, None])[y].astype(mapped.dtype)
        return cls(counts, plain_sums, sums, (residuals.T @ residuals).astype(np.float64))

    def with_class(self) -> Self:
        """With a class more, its column the last, without examples."""
        return replace(
            self,
            counts=np.append(self.counts, 0),
            plain_sums=np.vstack([self.plain_sums, np.zeros(self.plain_sums.shape[1])]),
            sums=np.vstack([self.sums, np.zeros(self.sums.shape[1])]),
        )

    def with_examples(self, k: int, plain: FloatArray, mapped: FloatArray) -> Self:
        """With more examples of class k, in both spaces."""
        counts, plain_sums, sums = self.counts.copy(), self.plain_sums.copy(), self.sums.copy()
        before, more = int(counts[k]), len(mapped)
        centre = mapped.mean(axis=0, dtype=np.float64)
        residuals = mapped - centre
        shift = centre - sums[k] / max(before, 1)
        between = np.outer(shift, shift) * (before * more / (before + more))
        counts[k] += more
        plain_sums[k] += plain.sum(axis=0, dtype=np.float64)
        sums[k] += mapped.sum(axis=0, dtype=np.float64)
        return replace(
            self,
            counts=counts,
            plain_sums=plain_sums,
            sums=sums,
            scatter=self.scatter + residuals.T @ residuals + between,
        )

    def without_examples(self, k: int, plain: FloatArray, mapped: FloatArray) -> Self:
        """Without some examples of class k, in both spaces: what `with_examples` added is subtracted."""
        counts, plain_sums, sums = self.counts.copy(), self.plain_sums.copy(), self.sums.copy()
        fewer = len(mapped)
        counts[k] -= fewer
        plain_sums[k] -= plain.sum(axis=0, dtype=np.float64)
        sums[k] -= mapped.sum(axis=0, dtype=np.float64)
        centre = mapped.mean(axis=0, dtype=np.float64)
        residuals = mapped - centre
        left = int(counts[k])
        shift = centre - sums[k] / max(left, 1)
        between = np.outer(shift, shift) * (left * fewer / (left + fewer))
        return replace(
            self,
            counts=counts,
            plain_sums=plain_sums,
            sums=sums,
            scatter=self.scatter - residuals.T @ residuals - between,
        )

    def without_class(self, k: int, mapped: FloatArray) -> Self:
        """Without class k and its examples, which in the experts' space are `mapped`.

        Where these are but some of its examples, the scatter falls by the class's share: it is that of all classes, and
        what few rows weigh many times over would leave of it may be no scatter at all.
        """
        kept = np.arange(len(self.counts)) != k
        if len(mapped) < self.counts[k]:
            degrees = np.maximum(self.counts - 1, 0)
            left = 1.0 - degrees[k] / max(int(degrees.sum()), 1)
            return replace(
                self,
                counts=self.counts[kept],
                plain_sums=self.plain_sums[kept],
                sums=self.sums[kept],
                scatter=self.scatter * left,
            )
        residuals = mapped - mapped.mean(axis=0, dtype=np.float64) if len(mapped) else mapped
        return replace(
            self,
            counts=self.counts[kept],
            plain_sums=self.plain_sums[kept],
            sums=self.sums[kept],
            scatter=self.scatter - residuals.T @ residuals,
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As the memory keeps them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Inverse of `arrays`."""
        return cls(**arrays)


@dataclass(frozen=True, eq=False)
class SummedSupport(Support):
    """A support set known by its statistics alone; it has no rows.

    Attributes
    ----------
    class_counts, class_sums
        Of its examples, stand-ins included, (n_classes,) and (n_classes, n_dims).
    residuals
        Scatter of the images about their class means, (n_dims, n_dims).
    """

    class_counts: IntArray
    class_sums: FloatArray
    residuals: FloatArray

    @property
    def n_examples(self) -> int:
        """Images and stand-ins."""
        return int(self.class_counts.sum())

    @cached_property
    def means(self) -> FloatArray:
        """Class means m_k, (n_classes, n_dims)."""
        return self.class_sums / self.class_counts[:, None]

    @cached_property
    def scatter(self) -> Scatter:
        """Scatter of the images within their classes."""
        return principal(self.residuals, noise=max(self.n_examples, self.n_dims) * ROUNDING)

    @property
    def counts(self) -> IntArray:
        """Examples of each class, (n_classes,)."""
        return self.class_counts
