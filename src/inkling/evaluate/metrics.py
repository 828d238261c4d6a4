"""How often the labels are right. Arrays only.

`p` are probabilities (n, n_classes), `y` the column of the true class (n,), `predicted` the column that is
given out (n,). A measure without a value, such as the recall of a class that has no test image, is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.types import FloatArray, IntArray


def predicted_classes(p: FloatArray) -> IntArray:
    """Column of the most probable class, (n,); the first of several that tie, as `predict` gives it."""
    return np.asarray(p.argmax(axis=1))


def top_k_credit(p: FloatArray, y: IntArray, k: int) -> FloatArray:
    """Chance that the true class is among the first k where ties are broken at random, (n,) in [0, 1].

    Breaking ties by column order would reward whichever class happens to come first: a classifier that gives
    every class the same probability would be perfect on images of the first class. With g classes strictly
    above the true one and e level with it (itself among them) the chance is (k - g) / e, clipped to [0, 1].
    """
    of_truth = p[np.arange(len(y)), y][:, None]
    above = (p > of_truth).sum(axis=1)
    level = (p == of_truth).sum(axis=1)
    return np.asarray(np.clip((k - above) / level, 0.0, 1.0))


def top_k_accuracy(p: FloatArray, y: IntArray, k: int) -> float:
    """Share of images whose true class is among the k most probable, ties counted by their chance."""
    return float(top_k_credit(p, y, k).mean())


def confusion_matrix(y: IntArray, predicted: IntArray, n_classes: int) -> IntArray:
    """Counts (n_classes, n_classes): row the true class, column the predicted one."""
    flat = np.bincount(y * n_classes + predicted, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes)


@dataclass(frozen=True, eq=False)
class ClassMeasures:
    """Measures of every class, each of shape (n_classes,).

    Attributes
    ----------
    support
        Test images of the class.
    predicted
        Test images that were given this label.
    precision
        Share of right ones among those given the label; NaN where the label was never given.
    recall
        Share of the class's images that got the label; NaN where the class has no test image.
    f1
        Harmonic mean of the two, 2 TP / (support + predicted); NaN where the class has no test image, zero
        where none of its images is found.
    """

    support: IntArray
    predicted: IntArray
    precision: FloatArray
    recall: FloatArray
    f1: FloatArray


def class_measures(confusion: IntArray) -> ClassMeasures:
    """Precision, recall and F1 of every class from the confusion matrix."""
    right = np.diag(confusion)
    support = confusion.sum(axis=1)
    predicted = confusion.sum(axis=0)
    f1 = _share(2 * right, support + predicted)
    return ClassMeasures(
        support=support,
        predicted=predicted,
        precision=_share(right, predicted),
        recall=_share(right, support),
        f1=np.where(support > 0, f1, np.nan),
    )


def balanced_accuracy(confusion: IntArray) -> float:
    """Mean recall over the classes that have test images; NaN where none has (Brodersen et al. 2010)."""
    recall = class_measures(confusion).recall
    present = recall[~np.isnan(recall)]
    return float(present.mean()) if len(present) else float("nan")


def _share(part: IntArray, whole: IntArray) -> FloatArray:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
