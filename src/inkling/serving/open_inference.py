"""The Open Inference Protocol, version 2 over HTTP: requests to pictures, answers to tensors.

A request is JSON, or JSON with the bytes of its tensors behind it (the binary tensor data extension).
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inkling.serving.answered import Answer
from inkling.serving.problems import Problem
from inkling.wording import excerpt

INPUT = "image"
EXTENSION = "binary_tensor_data"
LENGTH_HEADER = "Inference-Header-Content-Length"
_BYTES, _FP32, _BOOL = "BYTES", "FP32", "BOOL"
OUTPUTS = {"label": _BYTES, "probability": _FP32, "probabilities": _FP32, "unknown": _BOOL, "p_known": _FP32}
_OF_DETECTOR = ("unknown", "p_known")
_TYPES = {_FP32: np.dtype("<f4"), _BOOL: np.dtype("?")}


@dataclass(frozen=True, eq=False)
class Inference:
    """What a request asks.

    Attributes
    ----------
    id
        Of the request, which comes back.
    pictures
        Bytes of image files.
    outputs
        Names of the outputs that are wanted, and whether each comes as bytes.
    """

    id: str | None
    pictures: tuple[bytes, ...]
    outputs: dict[str, bool]


def read_inference(body: bytes, header_length: str | None, *, has_detector: bool) -> Inference:
    """What the body of a request asks.

    Raises
    ------
    Problem
        If it is no such request.
    """
    size = len(body) if header_length is None else int(header_length) if header_length.isdecimal() else -1
    if not 0 <= size <= len(body):
        raise Problem(400, "malformed", f"{LENGTH_HEADER} must be a number of bytes of the body.")
    try:
        request = json.loads(body[:size])
        inputs = {one["name"]: one for one in request["inputs"]}
        asked = {one["name"]: _parameters(one) for one in request.get("outputs") or ()}
        whole = _parameters(request)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        remedy = "GET /v2/models and its name says what the model takes."
        raise Problem(400, "malformed", f"The request cannot be read: {_why(error)}.", remedy=remedy) from error
    if inputs.keys() != {INPUT}:
        given = excerpt(", ".join(map(str, inputs)))
        raise Problem(400, "inputs", f"One input '{INPUT}' of type {_BYTES} was expected; there is: {given or 'none'}.")
    known = [name for name in OUTPUTS if has_detector or name not in _OF_DETECTOR]
    if missing := [name for name in asked if name not in known]:
        raise Problem(400, "outputs", f"There is no output '{excerpt(missing[0])}'; there are {', '.join(known)}.")
    by_default = whole.get("binary_data_output") is True
    wanted = {name: given.get("binary_data", by_default) is True for name, given in asked.items()}
    number = request.get("id")
    return Inference(
        number if isinstance(number, str) else None,
        _pictures(inputs[INPUT], body[size:]),
        wanted or dict.fromkeys(known, by_default),
    )


def _why(error: Exception) -> str:
    match error:
        case KeyError():
            return f"{error} is missing"
        case RecursionError():
            return "it is nested too deeply"
        case ValueError():
            return f"it is no JSON: {excerpt(error)}"
    return "it is not of the form that /v2 describes"


def _parameters(of: Mapping[str, Any]) -> Mapping[str, Any]:
    given = of.get("parameters") or {}
    if not isinstance(given, dict):
        raise Problem(400, "malformed", "'parameters' must be an object.")
    return given


def _pictures(given: Mapping[str, Any], rest: bytes) -> tuple[bytes, ...]:
    if given.get("datatype") != _BYTES:
        raise Problem(400, "inputs", f"The input '{INPUT}' must be of type {_BYTES}.")
    size = _parameters(given).get("binary_data_size")
    found = _of_json(given.get("data")) if size is None else _of_bytes(rest, size)
    shape = given.get("shape")
    if not isinstance(shape, list) or not all(isinstance(one, int) for one in shape):
        raise Problem(400, "inputs", f"The input '{INPUT}' has no shape.")
    if int(np.prod(shape, dtype=object)) != len(found):
        raise Problem(400, "inputs", f"The shape {shape[:8]} is not that of {len(found)} pictures.")
    return found


def _of_json(data: Any) -> tuple[bytes, ...]:
    """Pictures in base64: JSON holds no bytes."""
    flat = data
    while isinstance(flat, list) and flat and all(isinstance(one, list) for one in flat):
        flat = [one for part in flat for one in part]
    try:
        return tuple(b64decode(one, validate=True) for one in flat)
    except (ValueError, TypeError) as error:
        raise Problem(
            400,
            "inputs",
            f"The data of '{INPUT}' is no list of pictures in base64.",
            remedy="Send it so, or as binary tensor data.",
        ) from error


def _of_bytes(rest: bytes, size: Any) -> tuple[bytes, ...]:
    """Each element after its length, four bytes."""
    if not isinstance(size, int) or size != len(rest):
        raise Problem(400, "inputs", f"The input '{INPUT}' announces {excerpt(size)} bytes; there are {len(rest)}.")
    found, at = [], 0
    while at < len(rest):
        if at + 4 > len(rest):
            raise Problem(400, "inputs", f"The data of '{INPUT}' ends within a length.")
        (length,) = struct.unpack_from("<I", rest, at)
        found.append(rest[at + 4 : at + 4 + length])
        at += 4 + length
    if at != len(rest):
        raise Problem(400, "inputs", f"The data of '{INPUT}' ends within a picture.")
    return tuple(found)


def model_answer(name: str, version: int, classes: int, *, has_detector: bool) -> dict[str, Any]:
    """What the model takes and gives."""
    outputs = [
        {"name": output, "datatype": kind, "shape": [-1, classes] if output == "probabilities" else [-1]}
        for output, kind in OUTPUTS.items()
        if has_detector or output not in _OF_DETECTOR
    ]
    return {
        "name": name,
        "versions": [str(version)],
        "platform": "inkling",
        "inputs": [{"name": INPUT, "datatype": _BYTES, "shape": [-1]}],
        "outputs": outputs,
    }


def told_inference(name: str, asked: Inference, answers: Sequence[Answer]) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON where bytes follow."""
    known = answers[0].known
    columns = {label: column for column, label in enumerate(known.classifier.fitted.classes)}
    outputs: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for output, as_bytes in asked.outputs.items():
        values = _values(output, answers, columns)
        told: dict[str, Any] = {"name": output, "datatype": OUTPUTS[output], "shape": list(np.shape(values))}
        if as_bytes:
            packed = _packed(OUTPUTS[output], values)
            told["parameters"] = {"binary_data_size": len(packed)}
            behind.append(packed)
        else:
            told["data"] = np.asarray(values).ravel().tolist()
        outputs.append(told)
    answer: dict[str, Any] = {"model_name": name, "model_version": str(known.version), "outputs": outputs}
    if asked.id is not None:
        answer["id"] = asked.id
    head = json.dumps(answer).encode()
    return head + b"".join(behind), len(head) if behind else None


def _values(output: str, answers: Sequence[Answer], columns: Mapping[str, int]) -> list[Any]:
    verdicts = [one.verdict for one in answers]
    match output:
        case "probabilities":
            rows = []
            for one in verdicts:
                row = [0.0] * len(columns)
                for label, probability in zip(one.top_labels, one.top_probabilities, strict=True):
                    row[columns[label]] = probability
                rows.append(row)
            return rows
        case _:
            return [getattr(one, output) for one in verdicts]


def _packed(kind: str, values: list[Any]) -> bytes:
    if kind == _BYTES:
        texts = [str(one).encode() for one in values]
        return b"".join(struct.pack("<I", len(one)) + one for one in texts)
    return np.asarray(values, dtype=_TYPES[kind]).tobytes()
