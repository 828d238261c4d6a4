"""A classifier on labelled samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.fitted import FittedClassifier, require_readable
from inkling.classifier.promises import NOTHING, Promises
from inkling.embeddings.samples import Samples
from inkling.errors import InputError
from inkling.evaluate.answers import measure_answers
from inkling.evaluate.checks import check_truth
from inkling.evaluate.coverage import measure_coverage
from inkling.evaluate.protocol import class_indices, evaluate_predictions
from inkling.evaluate.results import Evaluation, EvaluationContext
from inkling.evaluate.training_images import TrainingImages, training_images
from inkling.evaluate.unknown_detection import UnknownDetection, measure_unknown_detection
from inkling.heads.calibration import apply_temperature
from inkling.heads.prediction_sets import Coverage
from inkling.types import FloatArray, IntArray

USUAL = Coverage(0.9)


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """An evaluation with the arrays that it rests on.

    Attributes
    ----------
    p
        Calibrated probabilities, (n, n_classes).
    y
        Column of the true class, -1 where the label is not a known class, (n,).

    Examples
    --------
    >>> from inkling.evaluate.run import evaluate_classifier
    >>> from inkling.images.sources import find_images
    >>> classifier = FewShotClassifier.load("vehicles.ink")
    >>> run = evaluate_classifier(classifier, classifier.embed(find_images("photos/test").records))
    >>> run.p.shape, run.evaluation.scores.top1
    ((9, 3), 1.0)
    """

    classifier: FewShotClassifier
    samples: Samples
    p: FloatArray
    y: IntArray
    evaluation: Evaluation


def require_known_labels(labels: Sequence[str | None], classes: Sequence[str]) -> None:
    """Say before long work that nothing could be measured.

    Raises
    ------
    InputError
        If none of the labels is a known class.
    """
    check_truth(class_indices(labels, classes), classes, labels)


def _unknown_detection(classifier: FewShotClassifier, samples: Samples, y: IntArray) -> UnknownDetection | None:
    """The detector on images with a label: those of known classes, and those of others."""
    detector = classifier.fitted.detector
    if detector is None:
        return None
    labelled = np.array([label is not None for label in samples.labels])
    return measure_unknown_detection(detector, samples.X[y >= 0], samples.X[labelled & (y < 0)])


def _promised(
    fitted: FittedClassifier, samples: Samples, p: FloatArray, y: IntArray, promises: Promises
) -> dict[str, Any]:
    """Prediction sets of images of known classes, if they were asked for or can be made, and answers if asked for."""
    of_known, fewer = (samples.X[y >= 0], p[y >= 0], y[y >= 0]), fitted.of_fewer_views(samples.stated_views)
    kept, sets = fitted.fitted_head.set_calibration, None
    if promises.coverage is not None or (kept is not None and kept.carries(USUAL)):
        sets = measure_coverage(fitted, *of_known, promises.coverage or USUAL, fewer_views=fewer)
    return {"sets": sets, "answers": measure_answers(fitted, *of_known, promises.climbing, fewer_views=fewer)}


def _without(samples: Samples, rows: IntArray, classes: Sequence[str]) -> Samples:
    """The samples without those that the classifier was trained on."""
    left = np.setdiff1d(np.arange(len(samples)), rows)
    if len(rows) and not any(samples.labels[row] in classes for row in left):
        others = f"; the other {len(left)} have no label of a known class" if len(left) else ""
        raise InputError(
            f"All {len(rows)} test images {'of known classes ' if others else ''}are among those that the memory was "
            f"trained on{others}.",
            remedy="Give other images, or measure on these with --include-training (in Python include_training=True), "
            "which flatters every figure.",
        )
    return samples if not len(rows) else samples.keep(left.tolist())


def evaluate_classifier(
    classifier: FewShotClassifier,
    samples: Samples,
    *,
    seed: int = 0,
    include_training: bool = False,
    promises: Promises = NOTHING,
) -> EvaluatedRun:
    """Measure a classifier on samples, beside what its text vectors alone would say.

    Parameters
    ----------
    samples
        Test images by the classifier's encoder.
    seed
        Of the bootstrap.
    include_training
        Whether images that the classifier was trained on, or near-duplicates of them, count too.
    promises
        What sets and answers are to keep. Without a coverage sets are asked to hold nine in ten, where enough images
        were held out in fitting.

    Raises
    ------
    InputError
        If there is no sample, none has the label of a known class, or all of them were training images; if too few
        images were held out for a promise.
    """
    require_readable(samples)
    fitted = classifier.fitted
    rows, repeated = training_images(samples, fitted.samples)
    if not include_training:
        samples = _without(samples, rows, fitted.classes)
    y = class_indices(samples.labels, fitted.classes)
    logits = fitted.fitted_head.logits(samples.X)
    p = apply_temperature(logits, fitted.fitted_head.temperature)
    evaluation = evaluate_predictions(
        p,
        y,
        fitted.classes,
        zero_shot_p=fitted.zero_shot_probabilities(samples.X),
        logits=logits if fitted.fitted_head.temperature != 1.0 else None,
        labels=samples.labels,
        seed=seed,
    )
    evaluation = replace(
        evaluation,
        unknown_detection=_unknown_detection(classifier, samples, y),
        **_promised(fitted, samples, p, y, promises),
        context=EvaluationContext(
            head=fitted.head,
            encoder_fingerprint=fitted.samples.identity.fingerprint,
            memory_version=classifier.memory_version,
            skipped=samples.skipped,
            training_images=TrainingImages(repeated, left_out=not include_training),
            why_no_zero_shot=fitted.why_no_zero_shot,
        ),
    )
    return EvaluatedRun(classifier, samples, p, y, evaluation)
