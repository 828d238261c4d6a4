"""One evaluation: which images count, what is measured, and how sure the figures are. Arrays and names only.

Images whose label is not a known class cannot be named correctly by any classifier of these classes. They are
left out of every measure and reported with their count and names: neither errors nor silently dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from inkling.evaluate.checks import check_arrays
from inkling.evaluate.metrics import (
    balanced_accuracy,
    class_measures,
    confusion_matrix,
    predicted_classes,
    top_k_credit,
)
from inkling.evaluate.results import (
    CalibrationMeasures,
    ClassScores,
    Comparison,
    Evaluation,
    EvaluationContext,
    Scores,
    UnknownLabels,
)
from inkling.evaluate.uncertainty import (
    Interval,
    bootstrap_balanced_accuracy,
    bootstrap_means,
    exact_interval,
    mcnemar,
)
from inkling.heads.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from inkling.heads.labelled_vectors import columns_of
from inkling.types import FloatArray, IntArray

TOP_K = 5


def evaluate_predictions(
    p: FloatArray,
    y: IntArray,
    classes: Sequence[str],
    *,
    zero_shot_p: FloatArray | None = None,
    logits: FloatArray | None = None,
    labels: Sequence[str | None] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure probabilities against the truth.

    Parameters
    ----------
    p
        Calibrated probabilities, (n, n_classes), rows summing to one.
    y
        Column of the true class, (n,); -1 for an image whose label is not a known class.
    classes
        Names of the columns.
    zero_shot_p
        Probabilities of zero-shot on the same images, (n, n_classes).
    logits
        Logits of the head before the temperature, (n, n_classes), to show what calibration changed.
    labels
        Labels as the user wrote them, (n,), to name those that are not known classes.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If shapes or values do not fit together, or no image has a known label.
    """
    p, y = np.asarray(p, dtype=np.float64), np.asarray(y)
    check_arrays(p, y, classes, zero_shot_p=zero_shot_p, logits=logits, labels=labels)
    known = y >= 0
    p_known, y_known = p[known], y[known]
    scores = _scores(p_known, y_known, seed=seed)
    confusion = confusion_matrix(y_known, predicted_classes(p_known), len(classes))
    return Evaluation(
        n=len(y_known),
        classes=tuple(classes),
        scores=scores,
        uncalibrated=None if logits is None else _calibration(softmax(logits[known], axis=1), y_known),
        zero_shot=None if zero_shot_p is None else _compare(p_known, zero_shot_p[known], y_known, seed=seed),
        per_class=_per_class(confusion, classes),
        confusion=confusion,
        reliability=tuple(reliability(p_known, y_known)),
        unknown_labels=_unknown_labels(known, labels),
        unknown_detection=None,
        sets=None,
        answers=None,
        context=EvaluationContext(),
        seed=seed,
    )


def class_indices(labels: Sequence[str | None], classes: Sequence[str]) -> IntArray:
    """Column of each label, (n,); -1 where a label is missing or not a known class."""
    return columns_of(labels, classes)


def _scores(p: FloatArray, y: IntArray, *, seed: int) -> Scores:
    top1, top5 = top_k_credit(p, y, 1), top_k_credit(p, y, TOP_K)
    predicted = predicted_classes(p)
    bounds = bootstrap_means(np.column_stack([top1, top5]), seed=seed)
    return Scores(
        top1=float(top1.mean()),
        top5=float(top5.mean()),
        balanced_accuracy=balanced_accuracy(confusion_matrix(y, predicted, p.shape[1])),
        calibration=_calibration(p, y),
        intervals={
            "top1": _interval_of_share(bounds[0], top1),
            "top5": _interval_of_share(bounds[1], top5),
            "balanced_accuracy": _unless_flat(bootstrap_balanced_accuracy(predicted == y, y, seed=seed)),
        },
    )


def _calibration(p: FloatArray, y: IntArray) -> CalibrationMeasures:
    return CalibrationMeasures(
        ece=expected_calibration_error(p, y), nll=negative_log_likelihood(p, y), brier=brier_score(p, y)
    )


def _interval_of_share(bootstrap: Interval, credit: FloatArray) -> Interval | None:
    """The exact binomial interval where all images agree: resampling them would claim certainty."""
    if np.all(credit == 1.0) or np.all(credit == 0.0):
        return exact_interval(int(credit.sum()), len(credit))
    return _unless_flat(bootstrap)


def _unless_flat(interval: Interval) -> Interval | None:
    return interval if interval.high - interval.low > 1e-12 else None


def _compare(p: FloatArray, zero_shot_p: FloatArray, y: IntArray, *, seed: int) -> Comparison:
    zero_shot_p = np.asarray(zero_shot_p, dtype=np.float64)
    difference = top_k_credit(p, y, 1) - top_k_credit(zero_shot_p, y, 1)
    return Comparison(
        scores=_scores(zero_shot_p, y, seed=seed),
        gain=float(difference.mean()),
        gain_interval=_unless_flat(bootstrap_means(difference[:, None], seed=seed)[0]),
        test=mcnemar(predicted_classes(p) == y, predicted_classes(zero_shot_p) == y),
    )


def _per_class(confusion: IntArray, classes: Sequence[str]) -> tuple[ClassScores, ...]:
    found = class_measures(confusion)
    return tuple(
        ClassScores(
            name=name,
            support=int(found.support[k]),
            predicted=int(found.predicted[k]),
            precision=_value(found.precision[k]),
            recall=_value(found.recall[k]),
            f1=_value(found.f1[k]),
        )
        for k, name in enumerate(classes)
    )


def _value(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _unknown_labels(known: NDArray[np.bool_], labels: Sequence[str | None] | None) -> UnknownLabels:
    outside = np.flatnonzero(~known).tolist()
    written = () if labels is None else (labels[i] for i in outside)
    names = Counter(label for label in written if label is not None)
    return UnknownLabels(len(outside), dict(names.most_common()))
