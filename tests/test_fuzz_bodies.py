"""Whatever a request holds, the service answers with a problem document, and never with a defect.

Real bodies are damaged at random; see `tests/test_fuzz.py`.
"""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given

from inkling.serving.app import create_app
from inkling.serving.limits import Limits
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.sketch import weights_folder, write_dataset
from tests.images.pictures import encoded, photo
from tests.test_fuzz import damaged, fuzzed, seeds

PICTURE = encoded(photo(size=(24, 20)), "PNG")
TEXT = base64.b64encode(PICTURE).decode()
LENGTH = "Inference-Header-Content-Length"
REFUSED = {400, 408, 413, 415, 422, 429}


def _form() -> bytes:
    part = b'--a\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    file = part % (b"file", b'; filename="a/b.png"\r\nContent-Type: image/png', PICTURE)
    return part % (b"top", b"", b"3") + file + part % (b"names", b"", b"1") + file + b"--a--\r\n"


def _inference(*, binary: bool) -> tuple[bytes, dict[str, str]]:
    packed = struct.pack("<I", len(PICTURE)) + PICTURE
    content = {"parameters": {"binary_data_size": len(packed)}} if binary else {"data": [TEXT]}
    request = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], **content}], "id": "1"}
    request["outputs"] = [{"name": "label", "parameters": {"binary_data": True}}]
    head = json.dumps(request).encode()
    return (head + packed, {LENGTH: str(len(head))}) if binary else (head, {})


BODIES: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "form": ("/v1/predict", _form(), {"content-type": "multipart/form-data; boundary=a"}),
    "JSON": (
        "/v1/predict",
        json.dumps({"images": [{"name": "a.png", "data": TEXT}, TEXT], "top": 3, "names": 0}).encode(),
        {"content-type": "application/json"},
    ),
    "picture": ("/v1/predict", PICTURE, {"content-type": "image/png"}),
    "inference": ("/v2/models/memory/infer", *_inference(binary=False)),
    "binary inference": ("/v2/models/memory/infer", *_inference(binary=True)),
    "decision": ("/v1/proposals/1/accept", b'{"name": "car", "join": true}', {"content-type": "application/json"}),
    "move": ("/v1/images/abc/move", b'{"to": "cat"}', {"content-type": "application/json"}),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A service whose queue takes nothing: what is sound is refused at its door."""
    if not (weights_folder() / "config.json").is_file():
        pytest.skip("the embedded encoder has no weights in this tree")
    from inkling import FewShotClassifier

    folder = tmp_path_factory.mktemp("fuzzed")
    write_dataset(folder / "train", ["castle", "cat"], 3, seed=0)
    memory = Path(folder / "memory.ink")
    FewShotClassifier("sketch", cache=folder / "cache").fit(folder / "train").save(memory)
    settings = Settings(limits=Limits(waiting=0, body_bytes=2**20))
    service = Service(str(memory), limits=settings.limits)
    service.thread.start()
    return TestClient(create_app(service, settings), base_url="http://localhost", client=("127.0.0.1", 9))


@pytest.mark.parametrize("kind", list(BODIES))
@fuzzed
@given(seed=seeds)
def test_damaged_bodies_are_answered(client: TestClient, kind: str, seed: int) -> None:
    path, body, headers = BODIES[kind]
    answer = client.post(path, content=damaged(body, seed, other=body), headers=headers)
    assert answer.status_code in REFUSED | {404, 409}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4000
    assert answer.json()["detail"]
