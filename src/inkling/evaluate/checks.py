"""What an evaluation refuses to measure, before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from inkling.errors import InputError
from inkling.types import FloatArray, IntArray

_SUM_TOLERANCE = 1e-3
_FOLDERS = (
    "Give a folder with one subfolder a class (photos/cat/1.jpg, photos/dog/2.jpg), or a table with columns 'path' and "
    "'label'."
)
_NAMES_SHOWN = 8


def check_arrays(
    p: FloatArray,
    y: IntArray,
    classes: Sequence[str],
    *,
    zero_shot_p: FloatArray | None,
    logits: FloatArray | None,
    labels: Sequence[str | None] | None,
) -> None:
    """Raise `InputError` unless all arguments fit together and at least one image has a known label."""
    if len(y) == 0:
        raise InputError(
            "There is no test image to evaluate on.", remedy="Point to a folder of class folders, or a table."
        )
    shape = (len(y), len(classes))
    _check_probabilities(p, shape, name="p")
    if zero_shot_p is not None:
        _check_probabilities(zero_shot_p, shape, name="zero_shot_p")
    if logits is not None and np.shape(logits) != shape:
        raise InputError(f"logits should have shape {shape} (images, classes), got {np.shape(logits)}.")
    if labels is not None and len(labels) != len(y):
        raise InputError(f"labels should have one entry for each of {len(y)} images, got {len(labels)}.")
    check_truth(y, classes, labels)


def _check_probabilities(p: FloatArray, shape: tuple[int, int], *, name: str) -> None:
    if np.shape(p) != shape:
        raise InputError(f"{name} should have shape {shape} (images, classes), got {np.shape(p)}.")
    if not np.isfinite(p).all():
        bad = int((~np.isfinite(p).all(axis=1)).sum())
        raise InputError(f"{name} holds NaN or infinite values for {bad} of {shape[0]} images.")
    sums = p.sum(axis=1)
    if (p < 0).any() or (np.abs(sums - 1) > _SUM_TOLERANCE).any():
        raise InputError(
            f"{name} should be probabilities: rows that are not negative and sum to one.",
            remedy="Pass the output of predict_proba, not logits; logits go into the argument of that name.",
        )


def check_truth(y: IntArray, classes: Sequence[str], labels: Sequence[str | None] | None) -> None:
    """Raise `InputError` unless at least one image has a known label."""
    if not np.issubdtype(y.dtype, np.integer) or y.min() < -1 or y.max() >= len(classes):
        raise InputError(
            f"y should hold class columns from 0 to {len(classes) - 1}, or -1 for a label that is not known."
        )
    if (y < 0).all():
        raise InputError(
            f"None of the {len(y)} test images has a label that is a known class{_found(labels)}.",
            remedy=_FOLDERS
            if labels is not None and not any(labels)
            else f"Known classes: {_listed(classes)}. Labels must be spelled as in training.",
        )


def _found(labels: Sequence[str | None] | None) -> str:
    if labels is None:
        return ""
    named = Counter(label for label in labels if label is not None)
    return f"; labels found: {_listed([name for name, _ in named.most_common()])}" if named else "; they have no labels"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
