"""A detector of unknown images beside the head: taught with the same samples, kept in the same memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inkling.classifier.class_texts import text_matrix
from inkling.classifier.fitted import Taught
from inkling.classifier.tuning import Tuning
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.heads.fold_spaces import FoldSpaces
from inkling.memory.content import DetectorState
from inkling.types import ClassEntry, HeadState
from inkling.unknown import Negatives, UnknownDetector
from inkling.unknown.detector import NAME

DEFAULT_FALSE_ALARMS = 0.05
UNTOLD = "unknown images are not told"


def with_detector(
    taught: Taught, *, false_alarms: float | None, negatives: Negatives | None = None, tuning: Tuning | None = None
) -> Taught:
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
    try:
        if tuning is not None:
            tuning.require_unseen()
        detector = teach_detector(
            taught.samples,
            taught.entries,
            false_alarms=rate,
            seed=taught.seed,
            negatives=negatives,
            like=None if tuning is None else tuning.detector,
            fold_spaces=None if tuning is None else tuning.fold_spaces,
        )
    except InputError as error:
        if false_alarms is not None:
            raise
        return replace(taught, unknown=f"{UNTOLD}: {error.message.rstrip('.')}")
    return replace(taught, detector=detector, unknown=detector.finding)


def teach_detector(
    samples: Samples,
    entries: Sequence[ClassEntry],
    *,
    false_alarms: float,
    seed: int,
    negatives: Negatives | None = None,
    like: UnknownDetector | None = None,
    fold_spaces: FoldSpaces | None = None,
) -> UnknownDetector:
    """A detector calibrated on labelled samples.

    Parameters
    ----------
    entries
        The classes, in the order of their names.
    false_alarms
        Rate at which known images may be called unknown.
    negatives, like, fold_spaces
        As for `UnknownDetector.fit`.

    Raises
    ------
    InputError
        If the samples can't support the rate.
    """
    column = {entry.name: k for k, entry in enumerate(entries)}
    identity = samples.identity
    return UnknownDetector.fit(
        samples.X,
        np.array([column[str(label)] for label in samples.labels]),
        sources=samples.sources,
        text_vectors=text_matrix(entries, identity.dimension),
        negatives=negatives,
        n_classes=len(column),
        embedding_dims=identity.dimension,
        logit_scale=identity.logit_scale,
        false_alarms=false_alarms,
        like=like,
        fold_spaces=fold_spaces,
        seed=seed,
    )


def detector_state(detector: UnknownDetector) -> DetectorState:
    """As a memory keeps it."""
    state = detector.state()
    return DetectorState(state.name, state.params, state.arrays, detector.report)


def detector_from(kept: DetectorState | None) -> UnknownDetector | None:
    """Inverse of `detector_state`; None for no detector, and for one of a kind that is not known here."""
    if kept is None or kept.name != NAME:
        return None
    return UnknownDetector.from_state(HeadState(kept.name, kept.params, kept.arrays))
