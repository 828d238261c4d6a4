"""What a page asks for before it shows anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from inkling.review.decisions import Decisions
from inkling.serving.access import Access, Token
from inkling.serving.app import create_app
from inkling.serving.routes.about import shown_name
from inkling.serving.service import Service
from inkling.serving.settings import Settings

TOKEN = Token.of("maria:0123456789abcdef", place="a test")


def test_about(client: TestClient, memory: Path) -> None:
    told = client.get("/v1/about").json()
    assert told["memory"] == memory.name
    assert (told["classes"], told["images"], told["fitted"], told["may_write"]) == (3, 24, True, True)
    assert told["proposals"] == len(client.get("/v1/proposals").json()["proposals"])


@pytest.mark.parametrize(
    ("access", "peer", "may"),
    [
        (Access(), "127.0.0.1", True),
        (Access(), "192.0.2.7", False),
        (Access((TOKEN,)), "192.0.2.7", True),
        (Access((TOKEN,), read_only=True), "127.0.0.1", False),
    ],
)
def test_about_tells_who_may_write(service: Service, access: Access, peer: str, may: bool) -> None:
    app = create_app(service, Settings(access))
    client = TestClient(app, base_url="http://localhost:8000", client=(peer, 50000))
    assert client.get("/v1/about").json()["may_write"] is may


def test_no_password_is_shown() -> None:
    assert "secret" not in shown_name("postgresql://maria:secret@db/memory")
    assert shown_name("/home/maria/drawings.ink") == "drawings.ink"


def test_ready_follows_the_memory(client: TestClient, memory: Path) -> None:
    assert client.get("/readyz").json()["memory_version"] == 3
    Decisions(memory).rename("tree", "oak")
    assert client.get("/readyz").json() == {"status": "ready", "memory_version": 4}
    memory.rename(memory.with_suffix(".gone"))
    assert client.get("/readyz").status_code == 503
