"""The Open Inference Protocol, spoken by the client of Triton to a running process; and bodies that are none of it."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi.testclient import TestClient
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from inkling import FewShotClassifier
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings


@pytest.fixture
def remote(service: Service, settings: Settings) -> Iterator[triton.InferenceServerClient]:
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(service, settings), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    client = triton.InferenceServerClient(f"127.0.0.1:{bound.getsockname()[1]}", connection_timeout=20)
    yield client
    client.close()
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("binary", [True, False])
def test_the_client_of_triton_gets_what_the_classifier_says(
    remote: triton.InferenceServerClient, memory: Path, stage: Path, binary: bool
) -> None:
    assert remote.is_server_live()
    assert remote.is_server_ready()
    assert remote.is_model_ready("vehicles")
    assert remote.get_server_metadata()["name"] == "inkling"
    told = remote.get_model_metadata("vehicles")
    assert told["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    pictures = [stage / "test/cat/cat-0000.png", stage / "inbox/car-0000.png"]
    data = np.array([one.read_bytes() for one in pictures], dtype=np.object_)
    image = triton.InferInput("image", [len(data)], "BYTES")
    image.set_data_from_numpy(data)
    outputs = [triton.InferRequestedOutput(one["name"], binary_data=binary) for one in told["outputs"]]
    found = remote.infer("vehicles", [image], outputs=outputs, request_id="7")
    classifier = FewShotClassifier.load(memory)
    verdicts = list(classifier.verdicts(pictures))
    assert found.get_response()["id"] == "7"
    assert found.get_response()["model_version"] == "3"
    labels = [one.decode() if isinstance(one, bytes) else one for one in found.as_numpy("label").tolist()]
    assert labels == [one.label for one in verdicts]
    assert found.as_numpy("probabilities") == pytest.approx(classifier.predict_proba(pictures), abs=1e-5)
    assert found.as_numpy("unknown").tolist() == [one.unknown for one in verdicts] == [False, True]


def test_the_client_of_triton_gets_to_know_what_is_wrong(remote: triton.InferenceServerClient) -> None:
    image = triton.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([b"no picture"], dtype=np.object_))
    with pytest.raises(InferenceServerException, match="image 0 cannot be read"):
        remote.infer("vehicles", [image])
    with pytest.raises(InferenceServerException, match="There is no model 'dogs'"):
        remote.infer("dogs", [image])


def infer(client: TestClient, **changes: Any) -> Any:
    text = base64.b64encode(b"GIF89a").decode()
    one = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [text]} | changes
    return client.post("/v2/models/vehicles/infer", json={"inputs": [one]})


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "pixels"},
        {"datatype": "FP32"},
        {"shape": [2]},
        {"shape": "1"},
        {"shape": [10**30, 10**30]},
        {"data": "abc"},
        {"data": None},
        {"data": [1]},
        {"data": ["@"]},
        {"parameters": {"binary_data_size": 5}},
        {"parameters": 3},
    ],
)
def test_inputs_that_are_none_are_refused(client: TestClient, changes: dict[str, Any]) -> None:
    answer = infer(client, **changes)
    assert answer.status_code == 400
    assert answer.json()["error"] == answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "header"),
    [(b"", None), (b"{", None), (b"[]", None), (b"{}", "99"), (b"{}", "-1"), (b'{"inputs": [3]}', None)],
)
def test_bodies_that_are_none_are_refused(client: TestClient, body: bytes, header: str | None) -> None:
    headers = {} if header is None else {"Inference-Header-Content-Length": header}
    assert client.post("/v2/models/vehicles/infer", content=body, headers=headers).status_code == 400


def test_pictures_come_as_base64_in_json(client: TestClient, stage: Path) -> None:
    text = base64.b64encode((stage / "test/tree/tree-0000.png").read_bytes()).decode()
    told = infer(client, data=[[text]], shape=[1, 1]).json()
    outputs = {one["name"]: one for one in told["outputs"]}
    assert outputs["label"]["data"] == ["tree"]
    assert outputs["probabilities"]["shape"] == [1, 3]
    assert sum(outputs["probabilities"]["data"]) == pytest.approx(1, abs=1e-6)
