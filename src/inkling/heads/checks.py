"""What the heads refuse: labels, text vectors and options that cannot be meant. Each refusal says what to do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import InputError
from inkling.types import BoolArray, FloatArray
from inkling.wording import kind_of, quoted, rate_text

MAX_NAMED = 5
"""Labels that a message names; the rest is counted."""


def check_rate(name: str, value: Any, *, remedy: str) -> None:
    """Refuse what is no rate between 0 and 1, both left out.

    Raises
    ------
    InputError
        If it is something else.
    """
    if not isinstance(value, Real):
        raise InputError(f"The {name} must be a number between 0 and 1, got {kind_of(value)}.", remedy=remedy)
    if not 0.0 < float(value) < 1.0:
        raise InputError(f"The {name} must lie between 0 and 1, got {rate_text(float(value))}.", remedy=remedy)


def known_labels(y: NDArray[Any], classes: Sequence[Any] | None) -> NDArray[Any]:
    """Labels of the classes, sorted: those named in `classes`, or those met in y where none are named.

    Raises
    ------
    InputError
        If there are fewer than two classes, if one is named twice, or if y has a label that is not named.
    """
    labels = np.unique(y)
    if classes is not None:
        named, labels = labels, np.unique(np.asarray(classes))
        if len(labels) != len(classes):
            raise InputError("`classes` names a class twice.", remedy="Name each class once, one row of text a class.")
        unexpected = _unexpected_labels(named, labels)
        if unexpected:
            raise InputError(
                f"y has labels that `classes` does not name: {name_some(unexpected)}.",
                remedy="Add them to `classes`, with a row of NaN in `text_vectors` where there is no text.",
            )
    if len(labels) < 2:
        raise InputError(
            "A classifier needs at least two classes; the labels name one class.", remedy="Add images of another class."
        )
    return labels


def text_by_class(
    text_vectors: FloatArray | None, classes: Sequence[Any] | None, labels: NDArray[Any]
) -> FloatArray | None:
    """Text vectors in the order of the sorted labels, (n_classes, d); None where there are none.

    Raises
    ------
    InputError
        If there is not one row a class, or if a number is infinite.
    """
    if text_vectors is None:
        return None
    text = np.asarray(text_vectors, dtype=np.float64)
    if text.ndim != 2 or len(text) != len(labels):
        raise InputError(
            f"text_vectors must have one row a class, expected ({len(labels)}, d), got {text.shape}.",
            remedy="Name the classes of the rows in `classes` where some have no image.",
        )
    if np.isinf(text).any():
        raise InputError("text_vectors has infinite numbers.", remedy="Give NaN where a class has no text vector.")
    return text if classes is None else text[np.argsort(np.asarray(classes))]


def check_widths(n_columns: int, embedding_dims: int, text: FloatArray | None) -> None:
    """Refuse an embedding that X is too narrow for, or that is not as long as the text vectors.

    Raises
    ------
    InputError
        If the widths disagree.
    """
    if not 1 <= embedding_dims <= n_columns:
        raise InputError(
            f"The embedding is said to have {embedding_dims} dimensions, and X has {n_columns} columns.",
            remedy="X holds the embedding first and the feature, if any, after it; see `embedding_dims`.",
        )
    if text is not None and text.shape[1] != embedding_dims:
        raise InputError(
            f"The embedding has {embedding_dims} dimensions, the text vectors have {text.shape[1]}.",
            remedy="Images and texts must come from one encoder.",
        )


def check_classes_known(known: BoolArray, labels: Sequence[Any]) -> None:
    """Refuse classes of which nothing is known; `known` is (n_classes,).

    Raises
    ------
    InputError
        If a class has neither an image nor a text vector.
    """
    if not known.all():
        unknown = [label for label, is_known in zip(labels, known, strict=True) if not is_known]
        raise InputError(
            f"Classes without an image and without a text vector: {name_some(unknown)}.",
            remedy="Give each an image or a text vector, or leave the class out.",
        )


@contextmanager
def few_images_a_class() -> Iterator[None]:
    """Silence scikit-learn's doubt whether labels of so many kinds are classes: one image a class is our trade."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        yield


def check_option(holds: bool, name: str, value: object, expected: str, *, remedy: str | None = None) -> None:
    """Refuse the value of an option unless it holds what is expected.

    Raises
    ------
    InputError
        If it does not.
    """
    if not holds:
        raise InputError(f"{name} must be {expected}, got {quoted(value)}.", remedy=remedy)


def name_some(labels: Sequence[Any]) -> str:
    """The first few labels, and how many more there are."""
    shown = ", ".join(str(label) for label in labels[:MAX_NAMED])
    more = len(labels) - MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _unexpected_labels(found: NDArray[Any], named: NDArray[Any]) -> list[Any]:
    """Labels found that are not named. Compared as Python compares, so that 1 is not '1'."""
    known = set(named.tolist())
    return [label for label in found.tolist() if label not in known]
