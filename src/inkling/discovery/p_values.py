"""How many of the images are less like the known classes than chance allows, estimated from their conformal p-values.

p-values of known images are uniform; those of new classes crowd at zero. The two-groups model (Efron 2008) tells for
each p-value which share of the images that have it are known after all: f0(p) pi0 / f(p), with f0 = 1, pi0 from the
p-values above one half (Storey 2002) and f the decreasing density that fits best (Grenander 1956).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.errors import InputError
from inkling.types import FloatArray, IntArray

UNLIKELY = 0.01
"""p-value of "all are known images, like the training images" below which some are said not to be."""
BINS = 200
"""Of the histogram that stands for all p-values seen; a stream of any length keeps no more."""


@dataclass(frozen=True, eq=False)
class PValues:
    """Conformal p-values of images, counted.

    Attributes
    ----------
    counts
        Images with a p-value in ((i - 1) / BINS, i / BINS], (BINS,).
    smallest
        The smallest p-value seen. It cannot be below 1 / (m + 1) with m images in the calibration.
    """

    counts: IntArray
    smallest: float

    @classmethod
    def of(cls, p_known: FloatArray) -> PValues:
        """Count p-values (n,)."""
        return cls(np.bincount(_bin_of(p_known), minlength=BINS), float(p_known.min()) if len(p_known) else 1.0)

    def with_more(self, p_known: FloatArray) -> PValues:
        """These and others."""
        more = PValues.of(p_known)
        return PValues(self.counts + more.counts, min(self.smallest, more.smallest))

    @property
    def total(self) -> int:
        """Images counted."""
        return int(self.counts.sum())

    def known_share(self, p_known: FloatArray) -> FloatArray:
        """Which share of the images with such a p-value are known after all, (n,), in [0, 1]."""
        from scipy.optimize import isotonic_regression

        density = isotonic_regression(self.counts / max(self.total, 1) * BINS, increasing=False).x
        share = np.minimum(self._known_among_all() / np.maximum(density, np.finfo(np.float64).tiny), 1.0)
        return np.asarray(share[_bin_of(p_known)])

    @property
    def unknown(self) -> float:
        """Images that are of no known class, by all p-values together."""
        return (1.0 - self._known_among_all()) * self.total

    @property
    def excess(self) -> tuple[float, float]:
        """Largest share of images that lies below some p-value beyond what is expected there, and that p-value."""
        expected = np.arange(1, BINS + 1) / BINS
        beyond = np.cumsum(self.counts) / max(self.total, 1) - expected
        at = int(beyond.argmax())
        return max(float(beyond[at]), 0.0), float(expected[at])

    @property
    def uniformity(self) -> float:
        """p-value of "all are known images": Kolmogorov and Smirnov, one-sided, of two samples with the calibration."""
        n, m = self.total, max(round(1.0 / max(self.smallest, np.finfo(np.float64).tiny)) - 1, 1)
        return float(np.exp(-2.0 * n * m / (n + m) * self.excess[0] ** 2)) if n else 1.0

    def _known_among_all(self) -> float:
        """pi0."""
        return min(1.0, 2.0 * float(self.counts[BINS // 2 :].sum()) / max(self.total, 1))


def check_p_values(p_known: FloatArray, n: int) -> FloatArray:
    """p-values (n,) as float64.

    Raises
    ------
    InputError
        If there is not one a row, or if one is not in (0, 1].
    """
    p = np.asarray(p_known, dtype=np.float64)
    if p.shape != (n,):
        raise InputError(f"p_known must have one number for each of the {n} images, got shape {p.shape}.")
    if not ((p > 0) & (p <= 1)).all():
        raise InputError("p_known must lie above 0 and be at most 1; a conformal p-value is never 0.")
    return p


def _bin_of(p_known: FloatArray) -> IntArray:
    # Rounded first, so that 0.3 does not land in the bin above for a last bit.
    return np.clip(np.ceil(np.round(np.asarray(p_known) * BINS, 9)).astype(np.intp) - 1, 0, BINS - 1)
