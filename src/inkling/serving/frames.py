"""Messages between the service and its encoder processes: a JSON object and arrays, by pipes. Nothing is pickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from inkling.errors import EncoderError

_LENGTH = struct.Struct("<I")
_ARRAYS = "arrays"


def send(stream: IO[bytes], told: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> None:
    """Write a message.

    Raises
    ------
    EncoderError
        If something is no array of numbers. Then nothing was written.
    OSError
        If nobody reads it.
    """
    plain = [_plain(one) for one in arrays]
    described = [{"dtype": one.dtype.str, "shape": one.shape} for one in plain]
    head = json.dumps({**told, _ARRAYS: described}).encode()
    stream.write(_LENGTH.pack(len(head)) + head)
    for one in plain:
        stream.write(one.tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Read a message.

    Raises
    ------
    EOFError
        If the other side has ended.
    """
    told = json.loads(_exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]))
    arrays = []
    for one in told.pop(_ARRAYS):
        dtype = np.dtype(one["dtype"])
        size = int(np.prod(one["shape"], dtype=np.int64)) * dtype.itemsize
        arrays.append(np.frombuffer(_exactly(stream, size), dtype).reshape(one["shape"]))
    return told, arrays


def _plain(value: Any) -> NDArray[Any]:
    array = np.ascontiguousarray(value)
    if array.dtype.hasobject:
        raise EncoderError(
            f"The encoder makes {type(value).__name__} of a picture; to another process go arrays of numbers alone.",
            remedy="Serve it without --workers.",
        )
    return array


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content
