"""Services on several machines, here processes, that have one memory in PostgreSQL."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inkling.memory.backup import copy_memory
from tests.memory.server import new_database, running
from tests.serving.running import Running, Start

pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'inkling-vision[postgres]'")
pytestmark = pytest.mark.slow


@pytest.fixture
def url(memory: Path) -> Iterator[str]:
    """The memory in a database of its own server."""
    with (
        tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
    ):
        url = new_database(server, "memory")
        copy_memory(memory, url)
        yield url


def version(replica: Running) -> int:
    """Of the memory that a replica answers by, without asking it to look."""
    found = re.search(r"^inkling_memory_version (\S+)$", httpx.get(f"{replica.address}/metrics").text, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def test_what_one_replica_learns_the_others_know(start: Start, url: str, stage: Path) -> None:
    replicas = [start(where=url) for _ in range(2)]
    picture = {"file": next((stage / "inbox").glob("*.png")).read_bytes()}
    accepted = httpx.post(f"{replicas[0].address}/v1/proposals/1/accept", json={"name": "bench"}, timeout=60)
    assert accepted.status_code == 200, accepted.text
    decided, until = accepted.json()["memory_version"], time.monotonic() + 10
    while version(replicas[1]) != decided and time.monotonic() < until:
        time.sleep(0.05)
    assert version(replicas[1]) == decided  # although nobody has asked it for anything
    answers = [httpx.post(f"{one.address}/v1/predict", files=picture, timeout=60).json() for one in replicas]
    assert [one["memory_version"] for one in answers] == [decided, decided]
    assert answers[0]["predictions"] == answers[1]["predictions"]
    undone = httpx.post(f"{replicas[1].address}/v1/undo", timeout=60).json()["memory_version"]
    assert httpx.post(f"{replicas[0].address}/v1/predict", files=picture).json()["memory_version"] == undone
