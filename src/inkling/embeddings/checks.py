"""What must hold of arrays that come from outside. Errors name the array; the caller adds the file."""

from __future__ import annotations

from hashlib import blake2b
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import InputError
from inkling.images.layout import is_utf8
from inkling.wording import counted, excerpt

MOST_VIEWS = 2**31
"""Above any number of views, and small enough for every file."""


def matrix(array: Any, name: str) -> NDArray[np.float32]:
    """The array as float32, if it is a finite matrix with rows and columns.

    Raises
    ------
    InputError
        If it is not.
    """
    array = np.asarray(array)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiu":
        raise InputError(f"{name} must be numbers of shape (images, dimensions), found {array.dtype} of {array.shape}.")
    with np.errstate(over="ignore"):
        rows = np.asarray(array, dtype=np.float32)
    wrong = ~np.isfinite(rows).all(axis=1)
    if wrong.any():
        raise InputError(
            f"{name} has {counted(int(wrong.sum()), 'row')} not finite, the first is row {int(wrong.argmax())}.",
            remedy="Remove those rows or compute them again.",
        )
    return rows


def unit_rows(rows: NDArray[np.float32], *, zeros_allowed: bool = False) -> NDArray[np.float32]:
    """Rows scaled to unit length; rows of zeros stay where they are allowed.

    Raises
    ------
    InputError
        If a row of zeros is not allowed.
    """
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    empty = length == 0
    if empty.any() and not zeros_allowed:
        raise InputError(
            f"embeddings has {counted(int(empty.sum()), 'row')} of zeros, the first is row {int(empty.argmax())}.",
            remedy="A vector of zeros has no direction: remove those rows.",
        )
    # The length of a row of large float32 may lie beyond float32.
    return np.asarray(rows / np.where(empty, 1, length)[:, None], dtype=np.float32)


def same_length(name: str, found: int, expected: int) -> None:
    """Refuse arrays that do not belong to each other.

    Raises
    ------
    InputError
        If the numbers of rows differ.
    """
    if found != expected:
        raise InputError(f"{name} has {counted(found, 'row')}, {expected} expected.")


def texts(array: Any, name: str, *, n_rows: int) -> tuple[str | None, ...]:
    """One text a row, None where a table has none; numbers are written out.

    Raises
    ------
    InputError
        If the array is of another shape or kind, or a text holds what no file can be written with.
    """
    array = np.asarray(array)
    if array.ndim != 1 or array.dtype.kind not in "OUiu":
        raise InputError(f"{name} must be text of shape (images,), found {array.dtype} of {array.shape}.")
    same_length(name, len(array), n_rows)
    found = tuple(None if value is None else str(value) for value in array)
    for row, text in enumerate(found):
        if text is not None and not is_utf8(text):
            raise InputError(
                f"{name} has no valid text in row {row}: '{excerpt(text)}'.", remedy="Write it as Unicode."
            )
    return found


def positive_number(value: Any, name: str) -> float:
    """The one finite number above zero that a value or an array of one element holds.

    Raises
    ------
    InputError
        If it holds something else.
    """
    array = np.asarray(value)
    number = float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "iuf" else 0.0
    if not 0 < number < np.inf:
        raise InputError(f"{name} must be a positive number, found {excerpt(array.tolist())}.")
    return number


def number_of_views(views: Any) -> int | None:
    """How many views of its image each vector is the mean of, from one number or one a row; None where none is said.

    Raises
    ------
    InputError
        If it is no whole number of 1 or more, or rows differ in it.
    """
    found = [None if value != value else value for value in np.atleast_1d(np.asarray(views, dtype=object)).ravel()]
    if not found or all(value is None for value in found):
        return None
    first = found[0]
    if any(value != first for value in found):
        raise InputError(
            f"views must be one number, found {excerpt(found)}.",
            remedy="Write single views and means of several into files of their own.",
        )
    number = float(first) if isinstance(first, Real) and not isinstance(first, bool) else 0.0
    if number.is_integer() and 1 <= number < MOST_VIEWS:
        return int(number)
    raise InputError(
        f"views must be a whole number of 1 or more, found {excerpt(first)}.",
        remedy="Say how many views of its image each vector is the mean of, 1 for single views.",
    )


def vector_hashes(rows: NDArray[np.float32]) -> tuple[str, ...]:
    """A name for each image that is known by its vector alone: the hash of its bytes."""
    return tuple(blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows)
