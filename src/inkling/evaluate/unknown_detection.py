"""What a detector of unknown images makes of test images: does it keep its promise, and what does it catch?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inkling.evaluate.uncertainty import Interval, exact_interval
from inkling.types import BoolArray, FloatArray
from inkling.unknown import UnknownDetector
from inkling.unknown.fusion import auroc

MOST_DETECTED = 0.95
"""Share of the unknown images that `fpr95` refers to."""


@dataclass(frozen=True)
class Share:
    """Some of `n` images, with the exact 95 % interval."""

    n: int
    value: float
    interval: Interval

    @classmethod
    def of(cls, counted: BoolArray) -> Share:
        """Share of the images that count, (n,)."""
        return cls(len(counted), float(counted.mean()), exact_interval(int(counted.sum()), len(counted)))

    def to_json(self) -> dict[str, Any]:
        """Number, share and interval."""
        return {"n": self.n, "share": self.value, "ci95": [self.interval.low, self.interval.high]}


@dataclass(frozen=True)
class UnknownDetection:
    """How well unknown images are detected among test images.

    Attributes
    ----------
    requested
        Rate of false alarms that was asked for.
    expected
        Where the realised rate should lie on so many images, nine times in ten.
    false_alarms
        Images of known classes that were called unknown.
    detected
        Images of other classes that were; None where there is none.
    auroc
        Probability that an image of another class scores higher than one of a known class; None likewise.
    fpr95
        Share of the known images that score as high as the highest 95 % of the others; None likewise.
    """

    requested: float
    expected: Interval
    false_alarms: Share
    detected: Share | None
    auroc: float | None
    fpr95: float | None

    @property
    def as_expected(self) -> bool:
        """Whether the realised rate of false alarms lies in the range that was promised."""
        return self.expected.low <= self.false_alarms.value <= self.expected.high

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **asdict(self),
            "as_expected": self.as_expected,
            "expected": [self.expected.low, self.expected.high],
            "false_alarms": self.false_alarms.to_json(),
            "detected": None if self.detected is None else self.detected.to_json(),
        }


def measure_unknown_detection(detector: UnknownDetector, known_X: FloatArray, other_X: FloatArray) -> UnknownDetection:
    """Measure a detector.

    Parameters
    ----------
    known_X
        Test images of known classes (n, n_dims), at least one.
    other_X
        Test images of other classes (m, n_dims); there may be none.
    """
    told = detector.conformal.rate_range(detector.false_alarms, n_images=len(known_X))
    known, others = detector.fused_scores(known_X), detector.fused_scores(other_X)
    threshold = detector.conformal.threshold(detector.false_alarms)
    return UnknownDetection(
        requested=detector.false_alarms,
        expected=Interval(0.0 if detector.errs_safely else told.low, told.high),
        false_alarms=Share.of(known > threshold),
        detected=Share.of(others > threshold) if len(others) else None,
        auroc=auroc(others, known) if len(others) else None,
        fpr95=float((known >= np.quantile(others, 1.0 - MOST_DETECTED)).mean()) if len(others) else None,
    )
