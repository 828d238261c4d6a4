"""Encoder processes: they answer as the encoder does, are replaced when they die, and none outlives its service."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from inkling import load_encoder
from inkling.errors import EncoderError, EncoderMismatchError, MemoryChangedError
from inkling.serving import workers as under_test
from inkling.serving.frames import receive, send
from inkling.serving.workers import ATTEMPTS, Workers, pooled
from tests.cli.program import Inkling
from tests.serving.running import Running, Start

IDENTITY = load_encoder("sketch").identity


@contextmanager
def running(number: int = 1, source: str = "sketch") -> Iterator[Workers]:
    workers = Workers(load_encoder(source).identity, source, device="cpu", number=number)
    workers.start()
    try:
        yield workers
    finally:
        workers.close()


def pictures(n: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)) for _ in range(n)]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something holds within half a minute."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def children(pid: int) -> list[int]:
    """Encoder processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that has ended
            found += [int(one) for one in (task / "children").read_text().split()]
    return [one for one in found if is_there(one) and encodes(one)]


def encodes(pid: int) -> bool:
    """Whether it is an encoder process."""
    try:
        return b"inkling.serving.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def is_there(pid: int) -> bool:
    """Whether a process lives, and is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("arrays", [[], [np.zeros((0, 3))], [np.arange(6.0).reshape(2, 3), np.array([True])]])
def test_a_message_comes_as_it_was_sent(arrays: list[np.ndarray]) -> None:
    stream = BytesIO()
    send(stream, {"what": "images"}, arrays)
    stream.seek(0)
    told, found = receive(stream)
    assert told == {"what": "images"}
    assert [one.tolist() for one in found] == [one.tolist() for one in arrays]
    assert [one.dtype for one in found] == [one.dtype for one in arrays]
    with pytest.raises(EOFError):
        receive(stream)


def test_what_is_no_array_is_not_sent() -> None:
    stream = BytesIO()
    with pytest.raises(EncoderError, match="makes dict of a picture"):
        send(stream, {}, [{"pixels": 1}])
    assert stream.getvalue() == b""


@pytest.mark.slow
@pytest.mark.parametrize("source", ["sketch", "sketch@64", "sketch+pocket"])
def test_vectors_are_those_of_the_encoder(source: str) -> None:
    encoder = load_encoder(source)
    with running(2, source) as workers:
        elsewhere = pooled(encoder, workers)
        assert elsewhere.identity == encoder.identity
        batch = [encoder.prepare(one) for one in pictures(5)]
        expected, found = encoder.encode_images(batch), elsewhere.encode_images(batch)
        assert np.array_equal(found.embeddings, expected.embeddings)
        assert (found.features is None) == (expected.features is None)
        if expected.features is not None:
            assert np.array_equal(found.features, expected.features)
        texts = ["a cat", "a car"]
        assert np.array_equal(elsewhere.encode_texts(texts), encoder.encode_texts(texts))
        with pytest.raises(RuntimeError, match="IndexError"):
            workers.ask({"what": "images", "part": 9})


@pytest.mark.slow
def test_a_process_that_hangs_is_replaced_and_its_batch_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load_encoder("sketch")
    batch = [encoder.prepare(one) for one in pictures(2)]
    with running(1) as workers:
        (pid,) = children(os.getpid())
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(under_test, "LONGEST_BATCH", 0.5)
        found = pooled(encoder, workers).encode_images(batch)
        assert np.array_equal(found.embeddings, encoder.encode_images(batch).embeddings)
        assert workers.replaced == 1
        assert not is_there(pid)


@pytest.mark.slow
def test_what_a_process_dies_of_is_asked_again_and_the_process_replaced() -> None:
    encoder = load_encoder("sketch")
    batch = [encoder.prepare(one) for one in pictures(4)]
    expected = encoder.encode_images(batch).embeddings
    failed: list[Exception] = []
    ended = threading.Event()

    def ask() -> None:
        try:
            while not ended.is_set():
                assert np.array_equal(elsewhere.encode_images(batch).embeddings, expected)
        except Exception as error:
            failed.append(error)

    with running(2) as workers:
        elsewhere = pooled(encoder, workers)
        asking = [threading.Thread(target=ask) for _ in range(2)]
        for one in asking:
            one.start()
        for time_ in range(3):
            os.kill(children(os.getpid())[0], signal.SIGKILL)
            assert eventually(lambda times=time_ + 1: workers.replaced == times and workers.live == 2)
        ended.set()
        for one in asking:
            one.join()
    assert failed == []


def test_a_batch_that_kills_every_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; from inkling.serving.frames import *; i, o = sys.stdin.buffer, sys.stdout.buffer; "
    code += "receive(i); send(o, {}); receive(i); raise SystemExit(1)"
    monkeypatch.setattr(under_test, "COMMAND", (sys.executable, "-c", code))
    with running() as workers:
        with pytest.raises(EncoderError, match=f"{ATTEMPTS} encoder processes ended at this batch"):
            workers.ask({"what": "images", "part": 0}, [np.zeros(3)])
        assert eventually(lambda: workers.live == 1)


def test_an_encoder_that_cannot_be_opened_leaves_no_process() -> None:
    for identity, source, kind in (
        (IDENTITY, "no-such-encoder", EncoderError),
        (replace(IDENTITY, fingerprint="other"), "sketch", EncoderMismatchError),
    ):
        workers = Workers(identity, source, device="cpu", number=2)
        with pytest.raises(kind):
            workers.start()
        assert workers.live == 0


def test_who_asks_after_the_end_is_to_ask_again() -> None:
    with running() as workers:
        pass
    with pytest.raises(MemoryChangedError):
        workers.ask({"what": "images", "part": 0}, [np.zeros(3)])


@pytest.fixture
def served(start: Start) -> Running:
    return start("--workers", "2", "--log-format", "none")


def value(address: str, name: str) -> float:
    text = httpx.get(f"{address}/metrics").text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


def predicted(address: str, stage: Path) -> dict[str, float]:
    found = {}
    for picture in sorted((stage / "test").rglob("*.png")):
        answer = httpx.post(f"{address}/v1/predict", files={"file": picture.read_bytes()}, timeout=60)
        assert answer.status_code == 200, answer.text
        found[picture.name] = answer.json()["predictions"][0]["probability"]
    return found


@pytest.mark.slow
def test_a_service_answers_alike_though_its_processes_are_killed(served: Running, start: Start, stage: Path) -> None:
    expected = predicted(start("--log-format", "none").address, stage)
    assert value(served.address, "inkling_workers") == 2
    assert predicted(served.address, stage) == pytest.approx(expected, abs=1e-6)
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(0.1):
            if value(served.address, "inkling_workers") == 2:  # else none would ever be ready on a busy machine
                os.kill(children(served.process.pid)[0], signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    answers = [predicted(served.address, stage) for _ in range(4)]
    ended.set()
    killing.join()
    assert answers == [pytest.approx(expected, abs=1e-6)] * 4
    assert eventually(lambda: value(served.address, "inkling_workers") == 2)
    assert value(served.address, "inkling_workers_replaced") > 0
    classes = httpx.post(
        f"{served.address}/v1/classes",
        data={"name": "car"},
        files=[("file", one.read_bytes()) for one in sorted((stage / "inbox").glob("car*.png"))],
        timeout=60,
    )
    assert classes.status_code == 201, classes.text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_its_service(served: Running, number: int) -> None:
    theirs = children(served.process.pid)
    assert len(theirs) == 2
    for one in theirs if number != signal.SIGKILL else ():
        os.kill(one, number)  # as a terminal and a supervisor do
    served.process.send_signal(number)
    said = served.rest()
    assert "Traceback" not in said
    assert served.process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    assert eventually(lambda: not any(map(is_there, theirs)))


@pytest.mark.slow
def test_a_memory_begins_with_processes_too(start: Start, tmp_path: Path, stage: Path) -> None:
    running = start("--new", "sketch", "--workers", "2", where=tmp_path / "begun.ink")
    for name in ("cat", "tree"):
        files = [("file", one.read_bytes()) for one in sorted((stage / "train" / name).glob("*.png"))]
        answer = httpx.post(f"{running.address}/v1/classes", data={"name": name}, files=files, timeout=60)
        assert answer.status_code == 201, answer.text
    picture = (stage / "test/cat/cat-0000.png").read_bytes()
    answer = httpx.post(f"{running.address}/v1/predict", files={"file": picture}, timeout=60).json()
    assert answer["predictions"][0]["label"] == "cat"


@pytest.mark.parametrize("number", ["0", "-1", "1000", "x", "1.5"])
def test_a_number_of_processes_that_is_none(tmp_path: Path, stage: Path, memory: Path, number: str) -> None:
    inkling = Inkling(tmp_path, stage / "cache")
    inkling.here("serve", memory, "--workers", number).refused("--workers", "a whole number, from 1 to 64", number)
