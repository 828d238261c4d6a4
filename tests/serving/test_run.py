"""The service as a process: how it starts, what stops it from starting, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from inkling import FewShotClassifier
from inkling.serving.run import bound_socket
from tests.cli.program import Inkling
from tests.serving.running import Start


@pytest.fixture
def inkling(tmp_path: Path, stage: Path) -> Inkling:
    return Inkling(tmp_path, stage / "cache")


def ask(address: str, stage: Path) -> dict[str, Any]:
    picture = (stage / "test/cat/cat-0000.png").read_bytes()
    return httpx.post(f"{address}/v1/predict", files={"file": picture}, timeout=30).json()


def sent(address: str, stage: Path) -> HTTPConnection:
    """A connection on which the same has been asked."""
    picture = (stage / "test/cat/cat-0000.png").read_bytes()
    request = httpx.Request("POST", f"{address}/v1/predict", files={"file": picture})
    connection = HTTPConnection(request.url.host, request.url.port, timeout=30)
    connection.request("POST", request.url.path, request.read(), dict(request.headers))
    return connection


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_it_serves_until_a_signal_and_finishes_what_it_holds(start: Start, stage: Path, number: int) -> None:
    running = start("--log-format", "json")
    assert ask(running.address, stage)["predictions"][0]["label"] == "cat"
    asked = [sent(running.address, stage) for _ in range(4)]
    held = [json.load(asked[0].getresponse())]  # by now it has read what the others sent before
    running.process.send_signal(number)
    held += [json.load(one.getresponse()) for one in asked[1:]]
    said = running.rest()
    assert running.process.returncode == 0
    assert "Traceback" not in said
    assert all("predictions" in one for one in held)
    assert [json.loads(line)["status"] for line in said.splitlines() if line.startswith("{")] == [200] * 5


@pytest.mark.slow
def test_a_stream_of_events_does_not_hold_the_end_up(start: Start) -> None:
    running = start()
    number = httpx.post(f"{running.address}/v1/jobs", json={"kind": "evaluate"}).json()["id"]
    with httpx.stream("GET", f"{running.address}/v1/jobs/{number}/events", timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: collecting"
        running.process.send_signal(signal.SIGTERM)
        assert list(lines)
    running.rest()
    assert running.process.returncode == 0


@pytest.mark.slow
def test_an_upload_that_breaks_off_leaves_nothing_behind(start: Start, stage: Path, memory: Path) -> None:
    running = start("--log-format", "text")
    host, _, port = running.address.removeprefix("http://").rpartition(":")
    before = memory.read_bytes()
    for path in ("/v1/predict", "/v1/classes", "/v1/observe"):
        with closing(socket.create_connection((host, int(port)))) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=a\r\n"
            body = "--a\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nxyz"
            connection.sendall(f"{head}Content-Length: 900000\r\n\r\n{body}".encode())
    assert ask(running.address, stage)["n"] == 1
    running.process.terminate()
    said = running.rest()
    assert "Traceback" not in said
    assert memory.read_bytes() == before


def test_a_port_that_is_in_use(inkling: Inkling, memory: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        inkling("serve", memory, "--port", port).refused(f"Port {port} of 127.0.0.1 is in use.", "--port")


def test_an_address_that_is_none(inkling: Inkling, memory: Path) -> None:
    inkling.here("serve", memory, "--host", "192.0.2.1").refused("192.0.2.1, port 8000, cannot be served at")


def test_a_memory_that_is_missing(inkling: Inkling, tmp_path: Path) -> None:
    inkling.here("serve", tmp_path / "none.ink").refused("There is no memory at")


def test_a_memory_of_a_newer_release(inkling: Inkling, memory: Path) -> None:
    with closing(sqlite3.connect(memory)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    inkling.here("serve", memory).refused("newer")


def test_a_memory_of_another_encoder(inkling: Inkling, memory: Path) -> None:
    inkling.here("serve", memory, "--encoder", "pocket").refused("fingerprint")


def test_a_memory_whose_encoder_is_gone(inkling: Inkling, tmp_path: Path) -> None:
    import numpy as np

    X, y = np.eye(4).repeat(5, axis=0), np.repeat(["ant", "bee", "cat", "dog"], 5)
    FewShotClassifier(head="prototype").fit_embeddings(X, y).save(tmp_path / "vectors.ink")
    inkling.here("serve", tmp_path / "vectors.ink", "--port", 0).refused("encoder")


@pytest.mark.parametrize("option", [("--port", "70000"), ("--log-format", "xml"), ("--token-file", "missing")])
def test_options_that_are_none(inkling: Inkling, memory: Path, option: tuple[str, str]) -> None:
    inkling.here("serve", memory, *option).refused(option[0] if option[1] != "missing" else "cannot be read")


@pytest.mark.slow
def test_for_other_machines_without_a_token_nobody_writes(start: Start, tmp_path: Path) -> None:
    running = start("--host", "0.0.0.0")
    assert any("Nobody may write" in line for line in running.lines)
    address = running.address.replace("0.0.0.0", "127.0.0.1")
    assert httpx.post(f"{address}/v1/undo").status_code == 403
    tokens = tmp_path / "tokens"
    tokens.write_text("anna:0123456789abcdef\n")
    tokens.chmod(0o644)
    running = start("--token-file", str(tokens))
    assert any("chmod 600" in line for line in running.lines)
    sent = {"authorization": "Bearer 0123456789abcdef"}
    answer = httpx.post(f"{running.address}/v1/proposals/1/discard", headers=sent)
    assert answer.json()["arguments"]["by"] == "anna"


@pytest.mark.slow
def test_a_locked_memory_is_read_and_a_write_waits_its_turn(start: Start, memory: Path, stage: Path) -> None:
    running = start()
    with closing(sqlite3.connect(memory, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert ask(running.address, stage)["n"] == 1
        written: list[int] = []
        write = threading.Thread(
            target=lambda: written.append(
                httpx.post(f"{running.address}/v1/proposals/1/discard", timeout=60).status_code
            )
        )
        write.start()
        write.join(0.5)
        assert written == []
        database.execute("ROLLBACK")
        write.join(30)
    assert written == [200]


def test_answers_are_not_held_back_by_the_system() -> None:
    """Else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms."""
    with bound_socket("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_the_help_names_what_there_is(inkling: Inkling) -> None:
    told = inkling.here("serve", "--help").out
    for option in ("--host", "--port", "--token-file", "--read-only", "--allow-host", "--new", "--log-format"):
        assert option in told
