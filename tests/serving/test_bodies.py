"""Requests that bring too much: each refused with its problem, before it takes memory or time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from inkling.serving.app import create_app
from inkling.serving.limits import Limits
from inkling.serving.service import Service
from inkling.serving.settings import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings(limits=Limits(body_bytes=2**20, pixels=1_000_000, images=3, seconds=2.0))


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour that is much larger than its file."""
    import struct

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(width + 1) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def kind_of(answer: object) -> tuple[int, str]:
    told = answer.json()
    return told["status"], told["type"].rpartition(":")[2]


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield bytes(2**19)

    headers = {"content-type": "image/png"}
    assert kind_of(client.post("/v1/predict", content=bytes(2**20 + 1), headers=headers)) == (413, "too-large")
    assert kind_of(client.post("/v1/predict", content=pieces(), headers=headers)) == (413, "too-large")


def test_more_pictures_than_a_request_may_have_are_refused(client: TestClient) -> None:
    files = [("file", (f"{number}.png", b"x")) for number in range(4)]
    assert kind_of(client.post("/v1/predict", files=files)) == (413, "too-many")
    assert kind_of(client.post("/v1/predict", json={"images": ["eA=="] * 4})) == (413, "too-many")
    assert kind_of(client.post("/v1/classes", data={"name": "car"}, files=files)) == (413, "too-many")


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/observe", "/v1/classes/1/images"])
def test_a_picture_that_unpacks_to_far_more_is_not_decoded(client: TestClient, path: str) -> None:
    small = bomb(8_000, 8_000)
    assert len(small) < 500_000
    answer = client.post(path, files={"file": ("bomb.png", small)})
    assert kind_of(answer) == (422, "input")
    assert "8000 x 8000 pixels is too large" in answer.json()["skipped"][0]["reason"]


def test_nothing_of_a_picture_is_no_picture(client: TestClient) -> None:
    answer = client.post("/v1/predict", files={"file": ("empty.png", b"")})
    assert (kind_of(answer), answer.json()["skipped"][0]["reason"]) == ((422, "input"), "the file is empty")


def test_more_than_the_queue_holds_is_refused_for_a_moment(memory: Path, stage: Path) -> None:
    settings = Settings(limits=Limits(waiting=2))
    service = Service(str(memory), limits=settings.limits)  # not started: nothing leaves the queue
    client = TestClient(create_app(service, settings), base_url="http://localhost", client=("127.0.0.1", 9))
    files = [("file", (stage / f"test/cat/cat-000{number}.png").read_bytes()) for number in range(3)]
    answer = client.post("/v1/predict", files=files)
    assert (kind_of(answer), answer.headers["retry-after"]) == ((429, "busy"), "1")
    assert answer.json()["remedy"]


def test_who_waits_too_long_is_let_go(memory: Path, stage: Path) -> None:
    settings = Settings(limits=Limits(seconds=0.2))
    service = Service(str(memory), limits=settings.limits)
    client = TestClient(create_app(service, settings), base_url="http://localhost", client=("127.0.0.1", 9))
    answer = client.post("/v1/predict", files={"file": (stage / "test/cat/cat-0000.png").read_bytes()})
    assert (kind_of(answer), answer.headers["retry-after"]) == ((503, "too-slow"), "1")
    assert client.get("/readyz").status_code == 503
