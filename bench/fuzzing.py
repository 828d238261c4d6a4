"""What no client of good will sends: damaged bodies over real connections, and cases that schemathesis draws.

`bench/serve.py` takes both as the part ``fuzz``.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import ROOT, Row, at_least, at_most

sys.path.append(str(ROOT / "tools"))
from bodies import Body, bodies
from damage import damaged
from serving import Server

SEED = 0
CLIENTS = 4
PATIENCE = 60.0
"""Seconds after which an answer counts as none."""
LONGEST = 30.0
SETTLED = 0.5
"""Share of the cases after which resident memory may not grow."""
ASKING = {"picture": 42, "form": 15, "JSON": 15, "inference": 11, "binary inference": 11, "tasks": 6}
"""Of a hundred cases."""
CHANGING = {"annotation": 20, "decision": 20, "move": 15, "undo": 20, "class": 15, "observed": 10}
"""Those that change the memory where they are not refused."""
CASES = 5000
LEFT_OUT = {
    "positive_data_acceptance": "no schema says which bytes are a picture",
    "negative_data_rejection": "whatever a form holds is text",
}
WAITING = "events|report"
"""What a job tells when it is done: of one that was just begun there is no report, and no end of events."""


@dataclass
class Tried:
    """What became of damaged requests.

    Attributes
    ----------
    wrong
        Answers that are a defect of the service, or no answer.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0
    resident: list[tuple[int, float]] = field(default_factory=list)


def damaged_requests(server: Server, cases: int, shares: Mapping[str, float], *, what: str) -> list[Row]:
    """So many damaged bodies and pictures over connections that are kept."""
    kinds = [bodies(picture) for picture in _pictures()]
    tried, lock = Tried(), threading.Lock()
    numbers = iter(range(cases))

    def run() -> None:
        connection = _connected(server)
        while True:
            with lock:
                number = next(numbers, None)
                if number is not None and number % 500 == 0:
                    tried.resident.append((number, server.resident))
            if number is None:
                return
            begun = time.perf_counter()
            status, fault = _asked(connection, *_case(kinds, shares, number))
            took = time.perf_counter() - begun
            if status == "none":
                connection = _connected(server)
            with lock:
                tried.statuses[status] += 1
                tried.longest = max(tried.longest, took)
                if fault:
                    tried.wrong.append(f"{number}: {fault}")

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tried.resident.append((cases, server.resident))
    return _rows(tried, cases, f"{cases} damaged {what}")


def _rows(tried: Tried, cases: int, what: str) -> list[Row]:
    settled = [size for number, size in tried.resident if number >= SETTLED * cases]
    tenths = [tried.resident[round(at * (len(tried.resident) - 1) / 10)][1] for at in range(11)]
    counts = {str(status): count for status, count in sorted(tried.statuses.items())}
    mib = [round(size / 2**20, 1) for size in tenths]
    return [
        at_most(
            f"{what}: answers 5xx, no answer, or no problem document",
            len(tried.wrong),
            0,
            statuses=counts,
            faults=tried.wrong[:5],
        ),
        at_most(f"{what}: seconds of the longest answer", tried.longest, LONGEST),
        at_most(
            f"{what}: growth of resident memory in their second half",
            float(np.median(settled[-10:]) / np.median(settled[:10]) - 1),
            0.05,
            mib_after_each_tenth=mib,
        ),
    ]


def _pictures() -> list[bytes]:
    """A small picture in each format that needs no further package."""
    rng = np.random.default_rng(SEED)
    picture = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize((24, 20))
    found = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        out = BytesIO()
        picture.save(out, kind)
        found.append(out.getvalue())
    return found


def _case(kinds: Sequence[dict[str, Body]], shares: Mapping[str, float], number: int) -> tuple[Body, bytes]:
    """The request of a number, always the same."""
    draw = random.Random(f"{SEED} {number}")
    (name,) = draw.choices(list(shares), list(shares.values()))
    of, other = draw.choice(kinds)[name], draw.choice(kinds)[name]
    return of, damaged(of.content, draw.randrange(2**48), other=other.content)


def _connected(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)


def _asked(connection: http.client.HTTPConnection, body: Body, content: bytes) -> tuple[str, str | None]:
    """Status of the answer, and what is wrong with it."""
    try:
        connection.request("POST", body.path, content, body.headers)
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return "none", f"{body.path}: {error!r}"
    status = str(answer.status)
    if answer.status >= 500:
        return status, f"{body.path}: {status} {told[:200]!r}"
    if answer.status >= 400 and not _is_problem(answer.getheader("content-type"), told):
        return status, f"{body.path}: {status} without a problem document"
    return status, None


def _is_problem(content_type: str | None, told: bytes) -> bool:
    try:
        return content_type == "application/problem+json" and bool(json.loads(told)["detail"])
    except (ValueError, KeyError):
        return False


def drawn_cases(server: Server, place: Path, examples: int) -> list[Row]:
    """Cases that schemathesis draws from the OpenAPI document: all checks, and links between operations."""
    report = place / "schemathesis.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{server.port}/openapi.json"]
    options = ["--checks", "all", "--exclude-checks", ",".join(LEFT_OUT), "--exclude-path-regex", WAITING]
    options += ["--max-examples", str(examples), "--seed", "1", "--continue-on-failure", "--no-color"]
    options += ["--report", "json", "--report-json-path", str(report)]
    subprocess.run([*command, *options], capture_output=True, check=False, cwd=place)
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    cases = told["test_cases"]
    phases = {name: one["status"] for name, one in told["phases"].items()}
    return [
        at_least("schemathesis: cases", cases["generated"], CASES, operations=told["operations"]["tested"], **phases),
        at_most(
            "schemathesis: cases with failures or errors",
            cases["with_failures"] + cases["errored"] + len(told["errors"]),
            0,
            left_out=LEFT_OUT,
            failures=[str(one)[:300] for one in told["failures"][:5]],
        ),
    ]
