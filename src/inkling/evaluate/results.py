"""What an evaluation found: frozen values, and their form as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from inkling.evaluate.answers import AnswerErrors
from inkling.evaluate.coverage import SetCoverage
from inkling.evaluate.training_images import TrainingImages
from inkling.evaluate.uncertainty import Interval, PairedTest
from inkling.evaluate.unknown_detection import UnknownDetection
from inkling.heads.calibration import ReliabilityBin
from inkling.types import IntArray, SkippedImage


@dataclass(frozen=True)
class EvaluationContext:
    """What an evaluation says about its surroundings and cannot measure itself."""

    head: str | None = None
    encoder_fingerprint: str | None = None
    memory_version: int | None = None
    skipped: tuple[SkippedImage, ...] = ()
    training_images: TrainingImages = field(default_factory=TrainingImages)
    why_no_zero_shot: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        skipped = [asdict(image) for image in self.skipped]
        return {**asdict(self), "skipped": skipped, "training_images": self.training_images.to_json()}


@dataclass(frozen=True)
class UnknownLabels:
    """Test images that no measure counts, because their label is not a known class.

    Attributes
    ----------
    count
        How many there are.
    names
        Images per label; a label that the caller did not pass is not listed.
    """

    count: int
    names: Mapping[str, int]


@dataclass(frozen=True)
class CalibrationMeasures:
    """How far the probabilities can be believed; lower is better for each."""

    ece: float
    nll: float
    brier: float


@dataclass(frozen=True)
class Scores:
    """Measures of one classifier, and the 95 % intervals of those that have one.

    `intervals` has the keys top1, top5 and balanced_accuracy; None where the images tell no interval.
    """

    top1: float
    top5: float
    balanced_accuracy: float
    calibration: CalibrationMeasures
    intervals: Mapping[str, Interval | None]

    def to_json(self) -> dict[str, Any]:
        """Measures by name, `ci95` of top-1, and all intervals as [low, high] or None."""
        return {
            "top1": self.top1,
            "top5": self.top5,
            "balanced_accuracy": self.balanced_accuracy,
            **asdict(self.calibration),
            "ci95": _bounds(self.intervals["top1"]),
            "intervals": {key: _bounds(value) for key, value in self.intervals.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """Zero-shot on the same images.

    Attributes
    ----------
    scores
        Measures of zero-shot.
    gain, gain_interval
        Top-1 of the head minus top-1 of zero-shot, and its paired 95 % interval.
    test
        McNemar's test; `first` is the head, `second` zero-shot.
    """

    scores: Scores
    gain: float
    gain_interval: Interval | None
    test: PairedTest

    def to_json(self) -> dict[str, Any]:
        """Measures of zero-shot, the gain over it, and the images that only one of the two gets right."""
        return {
            **self.scores.to_json(),
            "gain": self.gain,
            "gain_ci95": _bounds(self.gain_interval),
            "only_head_correct": self.test.only_first,
            "only_zero_shot_correct": self.test.only_second,
        }


@dataclass(frozen=True)
class ClassScores:
    """One class: test images, images given its label, and its measures; None where a measure has no value."""

    name: str
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None

    def to_json(self) -> dict[str, Any]:
        """All but the name, which is the key that this stands under."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured on the `n` test images whose label is a known class.

    Attributes
    ----------
    uncalibrated
        Calibration of the raw logits, before the temperature; None where no logits were passed.
    confusion
        Counts (n_classes, n_classes), row the true class, column the predicted one.
    unknown_detection
        What the detector of unknown images makes of them and of the others; None where there is none.
    sets
        How often prediction sets hold the right class; None where they have nothing to rest on.
    answers
        How often answers that may be groups are wrong; None where nobody asked.

    Examples
    --------
    >>> from inkling.evaluate.protocol import evaluate_predictions
    >>> p, y = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1])
    >>> found = evaluate_predictions(p, y, ("cat", "dog"))
    >>> found.n, found.n_correct, round(found.scores.top1, 2)
    (3, 2, 0.67)
    """

    n: int
    classes: tuple[str, ...]
    scores: Scores
    uncalibrated: CalibrationMeasures | None
    zero_shot: Comparison | None
    per_class: tuple[ClassScores, ...]
    confusion: IntArray = field(repr=False)
    reliability: tuple[ReliabilityBin, ...] = field(repr=False)
    unknown_labels: UnknownLabels
    unknown_detection: UnknownDetection | None
    sets: SetCoverage | None
    answers: AnswerErrors | None
    context: EvaluationContext
    seed: int

    @property
    def n_correct(self) -> int:
        """Images whose predicted label is the true one."""
        return int(np.trace(self.confusion))

    @property
    def n_left_out(self) -> int:
        """Images that no figure counts: of other classes, unreadable, or known from the training."""
        trained = self.context.training_images
        return self.unknown_labels.count + len(self.context.skipped) + trained.left_out * len(trained.images)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dump`, by the keys that the command line promises; None for no value.

        Examples
        --------
        >>> from inkling.evaluate.protocol import evaluate_predictions
        >>> p, y = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1])
        >>> found = evaluate_predictions(p, y, ("cat", "dog"))
        >>> found.to_json()["confusion"][0]
        {'true': 'cat', 'predicted': 'cat', 'count': 1}
        """
        comparison = self.zero_shot
        return {
            "n": self.n,
            **self.scores.to_json(),
            "uncalibrated": None if self.uncalibrated is None else asdict(self.uncalibrated),
            "zero_shot": None if comparison is None else comparison.to_json(),
            "mcnemar_p": None if comparison is None else comparison.test.p_value,
            "per_class": {entry.name: entry.to_json() for entry in self.per_class},
            "confusion": self._confusion_cells(),
            "reliability": [asdict(part) for part in self.reliability],
            "unknown_labels": {"count": self.unknown_labels.count, "names": dict(self.unknown_labels.names)},
            "unknown": None if self.unknown_detection is None else self.unknown_detection.to_json(),
            "sets": None if self.sets is None else self.sets.to_json(),
            "answers": None if self.answers is None else self.answers.to_json(),
            **self.context.to_json(),
            "seed": self.seed,
        }

    def _confusion_cells(self) -> list[dict[str, Any]]:
        """Cells that are not zero: complete, and small with a thousand classes too."""
        return [
            {"true": self.classes[i], "predicted": self.classes[j], "count": int(self.confusion[i, j])}
            for i, j in np.argwhere(self.confusion).tolist()
        ]


def _bounds(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
