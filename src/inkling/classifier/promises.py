"""What is asked of verdicts beside labels: sets at a coverage, answers at an error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.errors import InputError
from inkling.heads.fitted import FittedHead
from inkling.heads.hierarchy import Climbing, Levels, answers
from inkling.heads.prediction_sets import Coverage, SetCalibration, prediction_sets
from inkling.types import Answer, FloatArray


@dataclass(frozen=True)
class Promises:
    """Promises that verdicts keep.

    Attributes
    ----------
    coverage
        Asks for prediction sets.
    climbing
        Asks for answers that may be groups of classes.
    """

    coverage: Coverage | None = None
    climbing: Climbing | None = None


NOTHING = Promises()
FEWER_VIEWS = (
    "The classes were learned from means of several views of each image, and these vectors are of fewer views, which "
    "lie further from their class: a promise may be kept less often than asked for. Learn from single views, or hand "
    "over means of as many and say so: 'views' of a file, in Python views."
)


def calibration_of(head: FittedHead) -> SetCalibration:
    """What promises rest on.

    Raises
    ------
    InputError
        If the memory is of a release that kept nothing of it.
    """
    kept = head.set_calibration
    if kept is None:
        raise InputError(
            "The memory keeps nothing that prediction sets or answers in groups could rest on: an earlier release "
            "wrote it.",
            remedy="Fit it again: inkling refit FILE.ink.",
        )
    return kept


def sets_of(head: FittedHead, p: FloatArray, asked: Coverage, *, seed: int) -> list[tuple[str, ...]]:
    """Sets of images with probabilities p (n, n_classes), likeliest first. Raises as `prediction_sets`."""
    members = prediction_sets(p, head.classes, calibration_of(head), asked, seed=seed)
    order = np.argsort(-p, axis=1, kind="stable")
    return [
        tuple(head.classes[k] for k in ranked if row[k]) for ranked, row in zip(order.tolist(), members, strict=True)
    ]


def answers_to(head: FittedHead, p: FloatArray, asked: Climbing) -> list[Answer]:
    """Answers to images with probabilities p (n, n_classes). Raises as `inkling.heads.hierarchy.answers`."""
    levels = Levels.of(asked.hierarchy, head.classes)
    found = answers(p, levels, calibration_of(head), asked.error_rate)
    names = [levels.names[group] for group in found.groups.tolist()]
    return [Answer(*one) for one in zip(names, found.probabilities.tolist(), found.steps.tolist(), strict=True)]
