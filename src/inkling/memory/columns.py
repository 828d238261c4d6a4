"""How values become database columns and come back: text, JSON, float32 vectors, named arrays."""

from __future__ import annotations

import hashlib
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from inkling.errors import InputError
from inkling.wording import excerpt

if TYPE_CHECKING:
    from sqlalchemy import Dialect

PACKED = b"deflated"
"""Begins arrays that are packed. Read as the length of a safetensors header, it would be 7e18 bytes."""
NUMBER = 4
"""Bytes of a float32."""
MAX_PACKED = 8_000_000
"""Bytes up to which packing takes about a tenth of a second: each decision about a class waits for it twice."""
MAX_UNPACKED = 16_000_000
"""Bytes of what is packed, unpacked: at one time so many were packed."""
OF_EXEMPLARS = "of exemplars"
"""Parameter of a detector: digests of the arrays that are not kept with it, as they are the exemplars' vectors."""
ESCAPE = "␛"
_UNSTORABLE = re.compile(f"[\x00\ud800-\udfff{ESCAPE}]")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]{{4}})")


class AnyText(TypeDecorator[str]):
    """Text that may hold what database text may not: NUL, and the lone surrogates of undecodable file names.

    Each such character is stored as U+241B and four hexadecimal digits, and so is U+241B itself. All other
    text is stored as it is, so that the file stays readable with any SQLite tool.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface's
        """Escape on the way in."""
        return value and _UNSTORABLE.sub(lambda found: f"{ESCAPE}{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface's
        """Unescape on the way out."""
        return value and _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def json_text(value: Mapping[str, Any], *, what: str) -> str:
    """Strict JSON of a mapping; numpy scalars count as numbers.

    Raises
    ------
    InputError
        If the value holds what JSON cannot, NaN and infinity included.
    """
    return _strict_json(dict(value), what=what)


def json_list(values: Sequence[Mapping[str, Any]], *, what: str) -> str:
    """Strict JSON of several mappings.

    Raises
    ------
    InputError
        As for `json_text`.
    """
    return _strict_json([dict(value) for value in values], what=what)


def _strict_json(value: object, *, what: str) -> str:
    try:
        return json.dumps(value, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The {what} of a memory must be plain JSON: {excerpt(error)}.",
            remedy="Use text, finite numbers, booleans, null, lists, mappings; arrays belong elsewhere.",
        ) from error


def finite(value: float, *, what: str) -> float:
    """A number that every database can hold and compare.

    Raises
    ------
    InputError
        If it is infinite or no number.
    """
    number = float(value)
    if not math.isfinite(number):
        raise InputError(f"The {what} must be a finite number; it is {number}.")
    return number


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def vector_rows(vectors: NDArray[np.floating[Any]]) -> list[memoryview]:
    """Rows of a matrix as raw little-endian float32 bytes; no copy where the matrix is such already."""
    matrix = np.ascontiguousarray(vectors, dtype="<f4")
    content = matrix.reshape(-1).view(np.uint8).data
    width = matrix.shape[1] * matrix.itemsize
    return [content[start : start + width] for start in range(0, len(content), width)]


def _packed(content: bytes) -> bytes:
    """The bytes deflated, those at the same place of each number together: sign and exponent are much the same."""
    if len(content) > MAX_PACKED:
        return content
    whole = len(content) - len(content) % NUMBER
    numbers = np.frombuffer(content[:whole], dtype=np.uint8).reshape(-1, NUMBER)
    packed = PACKED + zlib.compress(np.ascontiguousarray(numbers.T).tobytes() + content[whole:], level=1)
    return min(packed, content, key=len)


def _unpacked(blob: bytes) -> bytes:
    if not blob.startswith(PACKED):
        return blob
    inflate = zlib.decompressobj()
    content = inflate.decompress(blob[len(PACKED) :], MAX_UNPACKED)
    if not inflate.eof:
        raise zlib.error("they end too early, or are more than was ever packed")
    whole = len(content) - len(content) % NUMBER
    numbers = np.frombuffer(content[:whole], dtype=np.uint8).reshape(NUMBER, -1)
    return np.ascontiguousarray(numbers.T).tobytes() + content[whole:]


def vectors_digest(vectors: NDArray[Any]) -> str:
    """Checks whether vectors are still those that they were."""
    return hashlib.sha256(np.ascontiguousarray(vectors, dtype="<f4").tobytes()).hexdigest()[:32]


def array_blob(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays in the safetensors format, packed where there are few of them.

    Raises
    ------
    InputError
        If an array has a type that the format lacks, such as text.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    try:
        return _packed(bytes(save({name: np.asarray(array, order="C") for name, array in arrays.items()})))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        types = {name: str(np.asarray(array).dtype) for name, array in arrays.items()}
        raise InputError(
            f"The arrays of a head must be numbers or booleans; they are {types}.",
            remedy="Put names and other text into the head's parameters.",
        ) from error


def blob_arrays(blob: bytes) -> dict[str, NDArray[Any]]:
    """Inverse of `array_blob`.

    Raises
    ------
    ValueError
        If the bytes are not whole.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(_unpacked(blob)))
    except (SafetensorError, zlib.error) as error:
        raise ValueError(f"the arrays of the head are broken ({error})") from error
