"""Whether prediction sets hold the right class as often as was asked for, and how large they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.promises import calibration_of
from inkling.discovery.p_values import UNLIKELY, PValues
from inkling.evaluate.uncertainty import Interval
from inkling.evaluate.unknown_detection import Share
from inkling.heads.prediction_sets import Coverage, prediction_sets
from inkling.types import FloatArray, IntArray

MOST_SHOWN = 10
"""Classes that a report names."""


@dataclass(frozen=True)
class Likeness:
    """How like the training images, which promises rest on, those are that one was measured on.

    Attributes
    ----------
    likeness
        p-value of the images being like the training images; None where no detector tells.
    fewer_views
        Whether the training images are means of more views than these, and so lie nearer to their class.
    """

    likeness: float | None
    fewer_views: bool

    @property
    def unlike_training(self) -> bool:
        """Whether the images differ from those that the promise rests on."""
        return self.fewer_views or (self.likeness is not None and self.likeness < UNLIKELY)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        unlike = {"fewer_views": self.fewer_views, "unlike_training": self.unlike_training}
        return {"likeness_p": self.likeness, **unlike}


@dataclass(frozen=True)
class SetCoverage(Likeness):
    """Prediction sets of test images of known classes.

    Attributes
    ----------
    asked
        What was asked of them.
    realised
        Images whose set holds the right class.
    expected
        Where that share should lie on so many images, nine times in ten.
    by_class
        The same of the images of each class, by its name.
    mean_size
        Classes in a set.
    n_empty, n_of_all
        Sets without a class, and with all of them.
    """

    asked: Coverage
    realised: Share
    expected: Interval
    by_class: Mapping[str, Share]
    mean_size: float
    n_empty: int
    n_of_all: int

    @property
    def as_expected(self) -> bool:
        """Whether the realised share lies in the range that was promised, or above where a set is never too small."""
        return self.expected.low <= self.realised.value

    @property
    def lowest(self) -> list[tuple[str, Share]]:
        """Classes whose sets hold the right one least often, and the shares."""
        return sorted(self.by_class.items(), key=lambda item: item[1].value)[:MOST_SHOWN]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "coverage": self.asked.rate,
            "by_class_asked": self.asked.by_class,
            "realised": self.realised.to_json(),
            "expected": [self.expected.low, self.expected.high],
            "as_expected": self.as_expected,
            "mean_size": self.mean_size,
            "empty": self.n_empty,
            "of_all": self.n_of_all,
            **super().to_json(),
            "per_class": {name: one.to_json() for name, one in self.by_class.items()},
        }


def measure_coverage(
    fitted: FittedClassifier, X: FloatArray, p: FloatArray, y: IntArray, asked: Coverage, *, fewer_views: bool = False
) -> SetCoverage:
    """Measure the sets of images of known classes.

    Parameters
    ----------
    X, p, y
        Vectors (n, d + f), calibrated probabilities (n, n_classes) and columns of the right classes (n,).
    fewer_views
        Whether the vectors are of fewer views than those learned from.

    Raises
    ------
    InputError
        As for `prediction_sets`.
    """
    kept = calibration_of(fitted.fitted_head)
    members = prediction_sets(p, fitted.classes, kept, asked, seed=fitted.seed)
    held = members[np.arange(len(y)), y]
    missed = expected_misses(len(kept), int(np.floor((len(kept) + 1) * asked.alpha + 1e-9)), len(y))
    sizes = members.sum(axis=1)
    return SetCoverage(
        asked=asked,
        realised=Share.of(held),
        expected=Interval(1.0 - missed.high, 1.0 - missed.low),
        by_class={fitted.classes[k]: Share.of(held[y == k]) for k in np.unique(y)},
        mean_size=float(sizes.mean()),
        n_empty=int((sizes == 0).sum()),
        n_of_all=int((sizes == members.shape[1]).sum()),
        likeness=likeness_of(fitted, X),
        fewer_views=fewer_views,
    )


def expected_misses(n: int, rank: int, n_tested: int) -> Interval:
    """Where the share of misses lies nine times in ten: n held-out images and those tested both come by chance.

    On endlessly many images it follows Beta(l, n + 1 - l), with l the `rank`, the held-out images that may be missed,
    and so the beta-binomial distribution on some (Vovk 2012, 1209.2673).
    """
    from scipy.stats import betabinom

    low, high = betabinom.ppf([0.05, 0.95], n_tested, rank, n + 1 - rank) / n_tested
    return Interval(float(low), float(high))


def likeness_of(fitted: FittedClassifier, X: FloatArray) -> float | None:
    """p-value of vectors X (n, d + f) being like the training images; None where no detector tells."""
    p_known = fitted.p_known(X)
    return None if p_known is None else PValues.of(p_known).uniformity
