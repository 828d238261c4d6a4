"""A detector of unknown images beside the head: fitted on the same samples, kept in the same memory."""

from __future__ import annotations

from dataclasses import replace

from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.tuning import Tuning
from inkling.errors import InputError
from inkling.memory.content import DetectorState
from inkling.types import HeadState
from inkling.unknown import Negatives, UnknownDetector
from inkling.unknown.state import NAME

DEFAULT_FALSE_ALARMS = 0.05
NO_DETECTOR = "unknown images are not told"


def with_detector(
    fitted: FittedClassifier,
    *,
    false_alarms: float | None,
    negatives: Negatives | None = None,
    tuning: Tuning | None = None,
) -> FittedClassifier:
    """The same with a detector of unknown images, or the reason why there is none.

    Parameters
    ----------
    false_alarms
        Rate at which known images may be called unknown. None: `DEFAULT_FALSE_ALARMS`, and no detector where the
        samples can't support that.
    negatives
        Names that no known class has, with their text vectors.
    tuning
        What is known of it where the encoder was tuned on the samples.

    Raises
    ------
    InputError
        If the samples can't support the rate that was asked for.
    """
    rate = DEFAULT_FALSE_ALARMS if false_alarms is None else false_alarms
    vectors = fitted.vectors
    try:
        if tuning is not None:
            tuning.require_unseen()
            vectors = vectors.with_fold_spaces(tuning.fold_spaces)
        detector = UnknownDetector.fit(
            vectors,
            negatives=negatives,
            false_alarms=rate,
            previous=None if tuning is None else tuning.detector,
            made_alike=fitted.samples.averaged_views == 1,
            seed=fitted.seed,
        )
    except InputError as error:
        if false_alarms is not None:
            raise
        return replace(fitted, unknown=f"{NO_DETECTOR}: {error.message.rstrip('.')}")
    return replace(fitted, detector=detector, unknown=detector.finding)


def detector_state(detector: UnknownDetector) -> DetectorState:
    """As a memory keeps it."""
    state = detector.state()
    return DetectorState(state.name, state.params, state.arrays, {"finding": detector.finding, **detector.report})


def detector_from(kept: DetectorState | None) -> UnknownDetector | None:
    """Inverse of `detector_state`; None for no detector, and for one of a kind that is not known here."""
    if kept is None or kept.name != NAME:
        return None
    return UnknownDetector.from_state(HeadState(kept.name, kept.params, kept.arrays))
