"""Does an export answer as the classifier does? Arrays and figures; who asks both is in `checking`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inkling.classifier.fitted import FittedClassifier
from inkling.evaluate.uncertainty import paired_difference
from inkling.types import BoolArray, FloatArray
from inkling.wording import counted

PROBABILITY_TOLERANCE = 1e-3
"""What probabilities of a float32 export may differ by."""
TIE = 1e-4
"""Two probabilities, or a score and a score of calibration, as near as this are a tie: rounding decides it."""
SAME_P_VALUE = 1e-9
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers for n pictures.

    Attributes
    ----------
    paths
        The pictures.
    probabilities
        (n, n_classes).
    unknown, p_known
        (n,), or None without a detector.
    """

    paths: tuple[str, ...]
    probabilities: FloatArray
    unknown: BoolArray | None
    p_known: FloatArray | None

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, eq=False)
class Expected(Answers):
    """Answers of the classifier itself.

    Attributes
    ----------
    near_tie
        Where rounding may decide the label, whether the picture is unknown, or its p-value, (n,).
    columns
        Column of the true label of each picture; -1 for a label that is no known class, and where there is none.
    labelled
        Which pictures have a label at all, (n,).
    """

    near_tie: BoolArray
    columns: Any
    labelled: BoolArray


@dataclass(frozen=True)
class Loss:
    """What is lost on the checked pictures, as a share of them with its 95 % interval; negative for a gain."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Parity:
    """How an export's answers compare with the classifier's own.

    Attributes
    ----------
    pictures
        How many were compared.
    labels_equal, unknown_equal
        On how many both agree; the second is None without a detector.
    probability_difference, p_value_difference
        The largest; the second without pictures near a tie.
    near_ties
        Pictures on which rounding may decide: a difference there is no failure.
    differing
        Pictures on which the two disagree, near ties aside.
    top1_loss, unknown_loss
        Share of right labels and of right decisions on unknown pictures that is lost. A picture without a label counts
        as right where both agree.
    """

    pictures: int
    labels_equal: int
    unknown_equal: int | None
    probability_difference: float
    p_value_difference: float | None
    near_ties: tuple[str, ...]
    differing: tuple[str, ...]
    top1_loss: Loss
    unknown_loss: Loss | None

    @property
    def why_not(self) -> str | None:
        """Why an export that computes as the classifier does must not be used; None where it may."""
        if self.differing:
            told = ", ".join(self.differing[:SHOWN]) + (", ..." if len(self.differing) > SHOWN else "")
            return f"it answers otherwise on {len(self.differing)} of {counted(self.pictures, 'picture')}: {told}"
        if self.probability_difference > PROBABILITY_TOLERANCE:
            most = f"at most {PROBABILITY_TOLERANCE:g} is allowed"
            return f"probabilities differ by up to {self.probability_difference:.2g}; {most}"
        return None

    def why_too_lossy(self, most: float) -> str | None:
        """Why an export in a coarser arithmetic must not be used, at a most of so many points; None where it may."""
        for loss, what in ((self.top1_loss, "top-1"), (self.unknown_loss, "decisions on unknown pictures")):
            if loss is not None and 100 * loss.share > most + SAME_P_VALUE:
                low, high = 100 * loss.low, 100 * loss.high
                return (
                    f"it loses {100 * loss.share:.2f} points of {what} on {counted(self.pictures, 'picture')} "
                    f"({low:.2f} to {high:.2f}); {most:g} may be lost"
                )
        return None

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"tie": TIE, "probability_tolerance": PROBABILITY_TOLERANCE}


def expected_answers(
    fitted: FittedClassifier, X: FloatArray, *, paths: tuple[str, ...], labels: tuple[str | None, ...]
) -> Expected:
    """Answers of a classifier to vectors X (n, d + f) of pictures."""
    p = fitted.fitted_head.probabilities(X)
    best = np.sort(p, axis=1)
    near = best[:, -1] - best[:, -2] < TIE
    unknown = p_known = None
    if (detector := fitted.detector) is not None:
        scores, conformal = detector.fused_scores(X), detector.conformal
        unknown = conformal.are_unknown(scores, detector.false_alarms)
        p_known = conformal.p_values(scores)
        near |= _distance_to_nearest(conformal.calibration, scores) < TIE
    column = {name: number for number, name in enumerate(fitted.classes)}
    columns = np.array([column.get(label or "", -1) for label in labels], dtype=np.int64)
    labelled = np.array([label is not None for label in labels], dtype=bool)
    return Expected(paths, p, unknown, p_known, near, columns, labelled)


def _distance_to_nearest(ordered: FloatArray, values: FloatArray) -> FloatArray:
    """How far each value is from the nearest of some ascending ones."""
    above = np.searchsorted(ordered, values)
    sides = ordered[np.clip([above - 1, above], 0, len(ordered) - 1)]
    return np.asarray(np.abs(sides - values).min(axis=0))


def compare(expected: Expected, found: Answers) -> Parity:
    """How the answers of an export compare with those that are expected."""
    same_label = expected.probabilities.argmax(axis=1) == found.probabilities.argmax(axis=1)
    same, unknown_loss, p_difference = same_label.copy(), None, None
    same_unknown = np.ones(len(expected), dtype=bool)
    if expected.unknown is not None and expected.p_known is not None:
        assert found.unknown is not None
        assert found.p_known is not None
        same_unknown = expected.unknown == found.unknown
        away = np.abs(expected.p_known - found.p_known)
        same &= same_unknown & (away <= SAME_P_VALUE)
        p_difference = float(away[~expected.near_tie].max(initial=0.0))
        unknown_loss = _unknown_loss(expected, found)
    return Parity(
        pictures=len(expected),
        labels_equal=int(same_label.sum()),
        unknown_equal=None if expected.unknown is None else int(same_unknown.sum()),
        probability_difference=float(np.abs(expected.probabilities - found.probabilities).max(initial=0.0)),
        p_value_difference=p_difference,
        near_ties=_named(expected, expected.near_tie),
        differing=_named(expected, ~same & ~expected.near_tie),
        top1_loss=_top1_loss(expected, found),
        unknown_loss=unknown_loss,
    )


def _named(answers: Answers, chosen: BoolArray) -> tuple[str, ...]:
    return tuple(answers.paths[row] for row in np.flatnonzero(chosen))


def _top1_loss(expected: Expected, found: Answers) -> Loss:
    """On pictures of known classes by their label; on those without a label by what the classifier itself answers."""
    counted_in = (expected.columns >= 0) | ~expected.labelled
    own = expected.probabilities.argmax(axis=1)
    truth = np.where(expected.columns >= 0, expected.columns, own)
    return _loss((own == truth)[counted_in], (found.probabilities.argmax(axis=1) == truth)[counted_in])


def _unknown_loss(expected: Expected, found: Answers) -> Loss:
    """Right is a decision that fits the label; without one, the classifier's own."""
    truth = np.where(expected.labelled, expected.columns < 0, expected.unknown)
    return _loss(expected.unknown == truth, found.unknown == truth)


def _loss(before: Any, after: Any) -> Loss:
    if not len(before):
        return Loss(0.0, -1.0, 1.0)
    interval = paired_difference(before, after)
    return Loss(float(before.mean() - after.mean()), interval.low, interval.high)
