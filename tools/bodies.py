"""Sound requests of every kind that the service reads, to be damaged."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from typing import Any

_CHOICES = '<Choices name="kind" toName="image"><Choice value="cat"/></Choices>'
INTERFACE = f'<View><Image name="image" value="$image"/>{_CHOICES}</View>'
_LENGTH = "Inference-Header-Content-Length"
_JSON = {"content-type": "application/json"}
_FORM = {"content-type": "multipart/form-data; boundary=a"}


@dataclass(frozen=True)
class Body:
    """The body of a request, and where it goes; the served memory is ``memory.ink``."""

    path: str
    content: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(_JSON))


def bodies(picture: bytes) -> dict[str, Body]:
    """One of each kind, those with pictures with this one."""
    text = base64.b64encode(picture).decode()
    task = {"id": 1, "data": {"image": f"data:image/png;base64,{text}"}}
    chosen = {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}
    annotation = {"id": 7, "was_cancelled": False, "result": [chosen]}
    project = {"id": 1, "label_config": INTERFACE}
    event = {"action": "ANNOTATION_CREATED", "task": task, "annotation": annotation, "project": project}
    return {
        "form": Body("/v1/predict", _form(picture), _FORM),
        "JSON": Body("/v1/predict", _json(images=[{"name": "a.png", "data": text}, text], top=3, names=0)),
        "picture": Body("/v1/predict", picture, {"content-type": "image/png"}),
        "inference": _inference(picture, binary=False),
        "binary inference": _inference(picture, binary=True),
        "tasks": Body("/label-studio/predict", _json(tasks=[task], label_config=INTERFACE)),
        "annotation": Body("/label-studio/webhook", _json(**event)),
        "observed": Body("/v1/observe", _form(picture), _FORM),
        "class": Body("/v1/classes", _json(name="fuzzed", images=[text])),
        "decision": Body("/v1/proposals/1/accept", b'{"name": "car", "join": true}'),
        "move": Body("/v1/images/abc/move", b'{"to": "cat"}'),
        "undo": Body("/v1/undo", b'{"event": null}'),
    }


def _json(**members: Any) -> bytes:
    return json.dumps(members).encode()


def _form(picture: bytes) -> bytes:
    part = b'--a\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    file = part % (b"file", b'; filename="a/b.png"\r\nContent-Type: image/png', picture)
    return part % (b"top", b"", b"3") + file + part % (b"names", b"", b"1") + file + b"--a--\r\n"


def _inference(picture: bytes, *, binary: bool) -> Body:
    packed = struct.pack("<I", len(picture)) + picture
    content: dict[str, Any] = {"data": [base64.b64encode(picture).decode()]}
    if binary:
        content = {"parameters": {"binary_data_size": len(packed)}}
    request: dict[str, Any] = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], **content}], "id": "1"}
    request["outputs"] = [{"name": "label", "parameters": {"binary_data": True}}]
    head = _json(**request)
    path = "/v2/models/memory/infer"
    return Body(path, head + packed, {_LENGTH: str(len(head))}) if binary else Body(path, head, {})
