"""A server in a process of its own, and clients that ask it: what `bench/serve.py` and `bench/page.py` measure with."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
BOUNDARY = "inkling-bench"
LONGEST_START = 60.0


@dataclass
class Server:
    """A server that is ready.

    Attributes
    ----------
    processor
        Processor seconds from start to ready.
    """

    process: subprocess.Popen[str]
    port: int
    processor: float

    @property
    def resident(self) -> float:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(memory: Path, *options: str, cache: Path) -> Iterator[Server]:
    """`inkling serve` on loopback, until the block ends."""
    program = [sys.executable, "-m", "inkling.cli.main"]
    command = [*program, "serve", str(memory), "--port", "0", "--log-format", "none", *options]
    environment = os.environ | {"INKLING_CACHE": str(cache)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield _ready(process)
    finally:
        process.terminate()
        process.wait(60)


def _ready(process: subprocess.Popen[str]) -> Server:
    assert process.stderr is not None
    port = 0
    for line in process.stderr:
        if "http://" in line:
            port = int(line.partition("http://")[2].partition(";")[0].rpartition(":")[2])
        if "Ready" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            times = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            return Server(process, port, (int(times[11]) + int(times[12])) / TICKS)
    raise RuntimeError(f"The server ended with {process.wait()} before it was ready.")


def form_of(picture: Path) -> bytes:
    """A form with a picture."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{picture.name}"\r\n\r\n'
    return head.encode() + picture.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


class Client:
    """Asks over one connection, which is kept.

    Parameters
    ----------
    port
        Of the server on this machine.
    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: bytes = b"", content_type: str = "application/json") -> tuple[int, Any]:
        """Status and JSON of the answer."""
        self._connection.request("POST", path, body, {"Content-Type": content_type})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def predict(self, form: bytes) -> tuple[int, Any]:
        """Status and answer about a picture, without names."""
        return self.post("/v1/predict?names=0", form, f"multipart/form-data; boundary={BOUNDARY}")


@dataclass
class Seen:
    """What one client saw: seconds and status of each request; of each answer its picture, and when it was asked."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answers: list[tuple[int, Any, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def asked(port: int, forms: Sequence[bytes], *, clients: int, seconds: float) -> list[Seen]:
    """So many clients that ask for so long, each for one picture after the other."""
    until = time.perf_counter() + seconds
    seen = [Seen() for _ in range(clients)]

    def run(number: int) -> None:
        client, mine, at = Client(port), seen[number], number
        while time.perf_counter() < until:
            at = (at + 1) % len(forms)
            begun = time.perf_counter()
            try:
                status, answer = client.predict(forms[at])
            except (OSError, http.client.HTTPException) as error:
                mine.errors.append(repr(error))
                client = Client(port)
                continue
            mine.statuses.append(status)
            if status == 200:
                mine.seconds.append(time.perf_counter() - begun)
                mine.answers.append((at, answer, begun))
            else:
                time.sleep(0.05)  # sooner than Retry-After says

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
