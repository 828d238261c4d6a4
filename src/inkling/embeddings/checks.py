"""What must hold of arrays that come from outside. Errors name the array; the caller adds the file."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import InputError


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
            f"{name} has {int(wrong.sum())} rows that are not finite, first row {int(wrong.argmax())}.",
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
            f"embeddings has {int(empty.sum())} rows of zeros, the first is row {int(empty.argmax())}.",
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
        raise InputError(f"{name} has {found} rows, {expected} expected.")


def vector_hashes(rows: NDArray[np.float32]) -> tuple[str, ...]:
    """A name for each image that is known by its vector alone: the hash of its bytes."""
    return tuple(blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows)
