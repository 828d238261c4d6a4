"""What the OpenAPI document says beyond what the routes' signatures do: uploads, problems, and examples of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inkling.serving.problems import MEDIA_TYPE, TITLES
from inkling.serving.schemas import LARGEST_GROUP

_PICTURE_ITEM = {"type": "string", "contentMediaType": "image/*", "contentEncoding": "base64"}
_SMALL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAEnNCcKAAAAAElFTkSuQmCC"
_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:inkling:problem:conflict"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "examples": ["Proposal 1 is not open any more: it was accepted."]},
        "remedy": {"type": "string", "examples": ["Open proposals: 2."]},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": title, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}} for status, title in TITLES.items()
}
"""Any route may answer with these, as problem documents by RFC 9457."""

_VERDICT = {
    "id": "ff8462967b6beac5885b849940bba3b2",
    "path": "cat-0000.png",
    "label": "cat",
    "probability": 0.996,
    "top_labels": ["cat", "castle", "tree"],
    "top_probabilities": [0.996, 0.0037, 0.0003],
    "unknown": False,
    "p_known": 0.88,
    "names": [],
    "memory_version": 3,
}
PREDICTIONS = {"memory_version": 3, "n": 1, "predictions": [_VERDICT], "skipped": []}
EVENT = {
    "event": 4,
    "memory_version": 4,
    "time": "2026-11-29T09:02:58+00:00",
    "verb": "discard",
    "arguments": {"proposal": 1, "by": "anna"},
    "outcome": {"proposal": 1, "images": 8},
    "undoes": None,
}


BEGUN = {
    "memory_version": 0,
    "classes": [],
    "begun": [{"name": "cat", "images": 5, "prompts": [], "exemplars": []}],
    "event": None,
    "outcome": {"class": "cat"},
}


def answers_like(example: dict[str, Any], *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Documents an answer by an example."""
    content = {"application/json": {"schema": _OBJECT, "example": example}}
    return {status: {"description": "Done.", "content": content}}


def leads_to(pointers: Mapping[str, Sequence[str]], *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Documents that ids in an answer are those of other operations.

    Parameters
    ----------
    pointers
        JSON pointer to an id within the answer, with the operations that take it.
    """
    links = {
        operation: {"operationId": operation, "parameters": {"id": f"$response.body#{pointer}"}}
        for pointer, operations in pointers.items()
        for operation in operations
    }
    return {status: {"description": "Done.", "links": links}}


def takes_pictures(fields: dict[str, Any], *, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Documents a body of pictures and fields, in each of the forms that are read."""
    form = {"file": {"type": "array", "items": {"type": "string", "contentMediaType": "image/*"}}, **fields}
    images = {
        "type": "array",
        "items": {
            "anyOf": [
                _PICTURE_ITEM,
                {
                    "type": "object",
                    "required": ["data"],
                    "properties": {"name": {"type": "string"}, "data": _PICTURE_ITEM},
                },
            ]
        },
    }
    as_json = {"type": "object", "properties": {"images": images, **fields}, "required": [*required]}
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": {"type": "object", "properties": form, "required": [*required]}},
        "application/json": {
            "schema": as_json,
            "example": {"images": [{"name": "cat.png", "data": _SMALL}], **dict.fromkeys(required, "cat")},
        },
    }
    if not required:
        content["image/*"] = {"schema": {"type": "string", "contentMediaType": "image/*"}}
    return {"requestBody": {"required": True, "content": content}}


TEXT = {"type": "string"}
TEXTS = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
COUNT = {"type": "integer", "minimum": 0, "maximum": 100}
GROUP_SIZE = {"type": "integer", "minimum": 2, "maximum": LARGEST_GROUP}

INFERENCE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": TEXT,
                        "inputs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name", "datatype", "shape", "data"],
                                "properties": {
                                    "name": {"const": "image"},
                                    "datatype": {"const": "BYTES"},
                                    "shape": {"type": "array", "items": {"type": "integer"}},
                                    "data": {"type": "array", "items": _PICTURE_ITEM},
                                },
                            },
                        },
                    },
                },
                "example": {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": [_SMALL]}]},
            },
            "application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}},
        },
    }
}
