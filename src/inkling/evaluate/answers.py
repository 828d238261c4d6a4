"""Whether answers that may be groups of classes are wrong no more often than was asked for, and how narrow they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.promises import calibration_of
from inkling.evaluate.coverage import Likeness, expected_misses, likeness_of
from inkling.evaluate.uncertainty import Interval
from inkling.evaluate.unknown_detection import Share
from inkling.heads.hierarchy import Climbing, Levels, answers, wrong_allowed
from inkling.types import FloatArray, IntArray


@dataclass(frozen=True)
class StepAnswers:
    """Answers that stand so many steps above the likeliest class.

    Attributes
    ----------
    step
        0: the class itself.
    answered
        Share of the images.
    wrong
        Those of them whose class the answer does not hold; None where no image is answered there.
    """

    step: int
    answered: Share
    wrong: Share | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        wrong = None if self.wrong is None else self.wrong.to_json()
        return {"step": self.step, "answered": self.answered.to_json(), "wrong": wrong}


@dataclass(frozen=True)
class AnswerErrors(Likeness):
    """Answers to test images of known classes.

    Attributes
    ----------
    error_rate
        What was asked for.
    wrong
        Images whose class is not among those of the answer.
    expected
        Where that share should lie on so many images, nine times in ten.
    steps
        By steps above the likeliest class.
    of_all
        Images for which no group below all classes is sure enough.
    """

    error_rate: float
    wrong: Share
    expected: Interval
    steps: tuple[StepAnswers, ...]
    of_all: Share

    @property
    def as_expected(self) -> bool:
        """Whether no more answers are wrong than was promised."""
        return self.wrong.value <= self.expected.high

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "error_rate": self.error_rate,
            "wrong": self.wrong.to_json(),
            "expected": [self.expected.low, self.expected.high],
            "as_expected": self.as_expected,
            "steps": [one.to_json() for one in self.steps],
            "of_all": self.of_all.to_json(),
            **super().to_json(),
        }


def measure_answers(
    fitted: FittedClassifier,
    X: FloatArray,
    p: FloatArray,
    y: IntArray,
    asked: Climbing | None,
    *,
    fewer_views: bool = False,
) -> AnswerErrors | None:
    """Measure the answers to images of known classes; None where nobody asked for any.

    Parameters
    ----------
    X, p, y
        Vectors (n, d + f), calibrated probabilities (n, n_classes) and columns of the right classes (n,).
    fewer_views
        As for `measure_coverage`.

    Raises
    ------
    InputError
        If too few images were held out for the error rate.
    """
    if asked is None:
        return None
    calibration = calibration_of(fitted.fitted_head)
    levels = Levels.of(asked.hierarchy, fitted.classes)
    found = answers(p, levels, calibration, asked.error_rate)
    wrong = ~levels.members[found.groups, y]
    of_all = found.groups == len(levels.names) - 1
    steps = np.where(of_all, -1, found.steps)
    return AnswerErrors(
        error_rate=asked.error_rate,
        wrong=Share.of(wrong),
        expected=expected_misses(len(calibration), wrong_allowed(len(calibration), asked.error_rate), len(y)),
        steps=tuple(
            StepAnswers(
                step, Share.of(steps == step), Share.of(wrong[steps == step]) if (steps == step).any() else None
            )
            for step in range(max(int(steps.max()), 0) + 1)
        ),
        of_all=Share.of(of_all),
        likeness=likeness_of(fitted, X),
        fewer_views=fewer_views,
    )
