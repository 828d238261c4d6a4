"""What is counted and logged: never a picture, its name, or a token."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from inkling.serving import app as applications
from inkling.serving.app import create_app
from inkling.serving.logs import Log
from inkling.serving.service import Service
from inkling.serving.settings import Settings


def test_answers_are_counted_by_route(client: TestClient, stage: Path) -> None:
    client.post("/v1/predict", files={"file": (stage / "test/cat/cat-0000.png").read_bytes()})
    client.get("/v1/pictures/secret-name")
    client.get("/nothing/at/all")
    client.request("BREW", "/v1/predict")
    text = client.get("/metrics").text
    assert 'inkling_requests_total{method="POST",route="/v1/predict",status="200"} 1.0' in text
    assert 'route="/v1/pictures/{id}",status="404"} 1.0' in text
    assert "inkling_memory_version 3.0" in text
    assert "inkling_ready 1.0" in text
    assert "process_resident_memory_bytes" in text
    assert "secret-name" not in text
    assert "BREW" not in text


@pytest.mark.parametrize("kind", ["text", "json", "none"])
def test_the_log_tells_what_was_asked_and_nothing_of_the_picture(
    service: Service, stage: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(applications, "Log", lambda kind: Log(kind, stream))
    client = TestClient(create_app(service, Settings(log=kind)), base_url="http://localhost", client=("127.0.0.1", 9))
    data = (stage / "test/cat/cat-0000.png").read_bytes()
    client.post("/v1/predict", files={"file": ("private.png", data)}, headers={"authorization": "Bearer hush"})
    client.post("/v1/proposals/1/discard")
    client.get("/healthz")
    client.get("/v1/%1b[31mred")
    lines = stream.getvalue().splitlines()
    assert "private" not in stream.getvalue()
    assert "hush" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    if kind == "none":
        assert lines == []
    elif kind == "json":
        told = [json.loads(line) for line in lines]
        assert [(one["method"], one["path"], one["status"], one["by"]) for one in told[:2]] == [
            ("POST", "/v1/predict", 200, None),
            ("POST", "/v1/proposals/1/discard", 200, "local"),
        ]
        assert len(told) == 3
    else:
        assert "POST /v1/predict 200" in lines[0]
