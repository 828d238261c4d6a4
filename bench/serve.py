"""What serving costs over the encoder's own time, what it withstands, and that every answer is that of its version.

    python bench/serve.py [--seconds 60] [--load 60] [--kills 50] [--cases 100000] [--part fuzz]

A server runs in a process of its own on loopback, its clients in this one, and both share the cores. "The encoder
alone" prepares and encodes decoded pictures one after the other in this process, while the server is idle.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import ROOT, SHARED, Row, at_least, at_most, parts_of, record_parts
from fuzzing import ASKING, CHANGING, damaged_requests, drawn_cases
from inkling import FewShotClassifier
from inkling.images.decode import decode
from inkling.images.handed_over import records_of
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.sketch import write_dataset
from inkling.types import Verdict
from serving import Client, Seen, Server, asked, form_of, served

SEED = 0
CROPS = SHARED / "data" / "coco_crops"
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
PICTURES = 16
ROUNDS = 8
REFUSED = 429
CLOSE = 1e-4
"""Probabilities of batches and of single pictures differ by rounding."""
SETTLED = 20.0
PARTS = ("start", "speed", "workers", "overload", "load", "kills", "drawn", "fuzz")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="Of overload.")
    parser.add_argument("--load", type=float, default=300.0, help="Seconds of load with decisions.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--cases", type=int, default=100_000, help="Damaged bodies and pictures.")
    parser.add_argument("--examples", type=int, default=120, help="Of schemathesis, for each operation.")
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be given again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = parts_of("serve", _parts(Path(folder), options), options.part or PARTS)
    asked_for = {name: getattr(options, name) for name in ("seconds", "load", "kills", "cases", "examples")}
    record_parts("serve", found, seed=SEED, **asked_for)


def _parts(place: Path, options: argparse.Namespace) -> dict[str, Callable[[], Iterator[Row]]]:
    """How each part is measured."""
    crops = cache(lambda: Crops.of(place / "crops"))
    return {
        "start": lambda: start(crops()),
        "speed": lambda: speed(crops()),
        "workers": lambda: workers(crops()),
        "overload": lambda: overload(crops(), options.seconds),
        "load": lambda: load(crops(), options.load),
        "kills": lambda: kills(place / "kills", options.kills),
        "drawn": lambda: drawn(place / "requests", examples=options.examples),
        "fuzz": lambda: fuzz(place / "fuzz", cases=options.cases),
    }


@dataclass(frozen=True, eq=False)
class Crops:
    """A memory of crops by the surrogate, with open proposals, and pictures to ask about."""

    memory: Path
    cache: Path
    classifier: FewShotClassifier
    pictures: list[Path]
    forms: list[bytes]

    @classmethod
    def of(cls, place: Path) -> Crops:
        """Made anew."""
        place.mkdir()
        memory, cache = place / "crops.ink", place / "cache"
        FewShotClassifier(SURROGATE, cache=cache).fit(CROPS / "few_shot" / "train").save(memory)
        classifier = FewShotClassifier.load(memory, cache=cache)
        every = sorted((CROPS / "few_shot" / "test").rglob("*.jpg"))
        unseen = sorted((CROPS / "unseen").rglob("*.jpg"))
        explore(memory, classifier, classifier.embed(records_of([*every, *unseen])), min_images=5)
        pictures = random.Random(SEED).sample(every, PICTURES)
        return cls(memory, cache, classifier, pictures, [form_of(one) for one in pictures])


def start(crops: Crops) -> Iterator[Row]:
    """What it takes until the service is ready."""
    with served(crops.memory, cache=crops.cache) as first:
        pass  # names are encoded once, as at the first start on a machine
    with served(crops.memory, cache=crops.cache) as server:
        yield at_most("start to ready, processor seconds", server.processor, 3.0, first_start=first.processor)


def speed(crops: Crops) -> Iterator[Row]:
    """One client and eight, beside the encoder alone, in turn."""
    with served(crops.memory, cache=crops.cache) as server:
        yield from _speed(server.port, crops)


def _speed(port: int, crops: Crops) -> list[Row]:
    encoder, forms = crops.classifier.encoder, crops.forms
    decoded = [decode(one.read_bytes(), shorter_side=encoder.shorter_side) for one in crops.pictures]
    _alone(encoder, decoded)
    asked(port, forms, clients=2, seconds=1.0)
    alone: list[float] = []
    one: list[float] = []
    eight: list[float] = []
    rates: list[float] = []
    refused = 0
    for _ in range(ROUNDS):
        alone += _alone(encoder, decoded)
        one += _seconds(asked(port, forms, clients=1, seconds=2.0))
        alone += _alone(encoder, decoded)
        seen = asked(port, forms, clients=8, seconds=4.0)
        eight += _seconds(seen)
        rates.append(len(_seconds(seen)) / 4.0)
        refused += sum(status != 200 for each in seen for status in each.statuses) + sum(len(s.errors) for s in seen)
    own, single = float(np.median(alone)), float(np.median(one))
    p50, p99 = (float(np.percentile(eight, q)) for q in (50, 99))
    return [
        at_most("one client: p50 over the encoder's own time", single / own, 1.25, ms=1e3 * single, own_ms=1e3 * own),
        at_least("8 clients: pictures a second over the encoder's own", np.median(rates) * np.mean(alone), 0.85),
        at_most("8 clients: p99 over p50", p99 / p50, 3.0, p50_ms=1e3 * p50, p99_ms=1e3 * p99),
        at_most("8 clients: requests that were refused or failed", refused, 0),
    ]


def workers(crops: Crops) -> Iterator[Row]:
    """Eight clients of a server that encodes itself, and of one with two encoder processes, in turn."""
    with (
        served(crops.memory, cache=crops.cache) as one,
        served(crops.memory, "--workers", "2", cache=crops.cache) as two,
    ):
        servers = {"1": one.port, "2": two.port}
        for port in servers.values():
            asked(port, crops.forms, clients=8, seconds=2.0)
        rates: dict[str, list[float]] = {name: [] for name in servers}
        seconds: dict[str, list[float]] = {name: [] for name in servers}
        failed = 0
        for _ in range(ROUNDS):
            for name, port in servers.items():
                seen = asked(port, crops.forms, clients=8, seconds=4.0)
                seconds[name] += _seconds(seen)
                rates[name].append(len(_seconds(seen)) / 4.0)
                failed += sum(s != 200 for each in seen for s in each.statuses) + sum(len(s.errors) for s in seen)
    each = {name: float(np.median(rate)) for name, rate in rates.items()}
    p50 = {f"p50_ms_with_{name}": 1e3 * float(np.median(some)) for name, some in seconds.items()}
    told = {f"per_second_with_{name}": rate for name, rate in each.items()} | p50
    yield Row("8 clients: pictures a second with 2 workers over 1", each["2"] / each["1"], None, None, told)
    yield at_most("8 clients of 1 and 2 workers: requests that were refused or failed", failed, 0)


def _alone(encoder: Any, decoded: Sequence[Image.Image]) -> list[float]:
    """Seconds of the encoder for each picture."""
    took = []
    for picture in decoded:
        begun = time.perf_counter()
        encoder.encode_images([encoder.prepare(picture)])
        took.append(time.perf_counter() - begun)
    return took


def _seconds(seen: Sequence[Seen]) -> list[float]:
    return [one for each in seen for one in each.seconds]


def overload(crops: Crops, seconds: float) -> Iterator[Row]:
    """64 clients at once."""
    with served(crops.memory, cache=crops.cache) as server:
        yield from _overload(server, crops, seconds)


def _overload(server: Server, crops: Crops, seconds: float) -> list[Row]:
    expected = _verdicts(crops.classifier, crops.pictures)
    resident: list[tuple[float, float]] = []
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, resident, ended))
    watch.start()
    # As many as the queue holds are answered; with twice as many pictures as it holds, some are refused.
    seen = asked(server.port, crops.forms, clients=64, seconds=seconds)
    ended.set()
    watch.join()
    statuses = [status for each in seen for status in each.statuses]
    errors = [error for each in seen for error in each.errors]
    wrong = sum(not _agree(answer["predictions"][0], expected[at]) for each in seen for at, answer, _ in each.answers)
    other = sum(status not in (200, REFUSED) for status in statuses)
    counts = {"answered": statuses.count(200), "refused": statuses.count(REFUSED)}
    return [
        at_most("64 clients: answers that are neither 200 nor 429, and errors", other + len(errors), 0, **counts),
        at_most("64 clients: wrong answers", wrong, 0),
        at_most("64 clients: growth of resident memory after 20 s", _growth(resident), 0.05, mib=_mib(resident)),
    ]


def _watch(server: Server, resident: list[tuple[float, float]], ended: threading.Event) -> None:
    begun = time.perf_counter()
    while not ended.wait(0.5):
        resident.append((time.perf_counter() - begun, server.resident))


def _growth(resident: Sequence[tuple[float, float]]) -> float:
    """Largest difference from the first figure once things have settled, as a share."""
    last = resident[-1][0]
    settled = [size for at, size in resident if at >= min(SETTLED, last / 2)]
    return float(np.max(np.abs(np.array(settled) / settled[0] - 1)))


def _mib(resident: Sequence[tuple[float, float]]) -> list[int]:
    """Resident memory every ten seconds or so: a leak climbs to the end, what is warmed up comes to rest."""
    return [round(size / 2**20) for _, size in resident[::20]]


def _verdicts(classifier: FewShotClassifier, pictures: Sequence[Path]) -> list[Verdict]:
    samples = classifier.embed(records_of(pictures))
    return classifier.judge(samples)


def _agree(told: dict[str, Any], expected: Verdict) -> bool:
    return (
        told["unknown"] == expected.unknown
        and abs(told["probability"] - expected.probability) < CLOSE
        and (told["label"] == expected.label or _tied(expected))
    )


def _tied(verdict: Verdict) -> bool:
    return verdict.top_probabilities[0] - verdict.top_probabilities[1] < CLOSE


def load(crops: Crops, seconds: float) -> Iterator[Row]:
    """Eight clients at full rate, while another process decides and takes back every second."""
    with served(crops.memory, cache=crops.cache) as server:
        yield from _load(server, crops, seconds)


def _load(server: Server, crops: Crops, seconds: float) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    ended = context.Event()
    other = context.Process(target=decide, args=(crops.memory, crops.pictures, theirs, ended))
    other.start()
    ours.recv()
    resident: list[tuple[float, float]] = []
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, resident, over))
    watch.start()
    seen = asked(server.port, crops.forms, clients=8, seconds=seconds)
    over.set()
    watch.join()
    ended.set()
    expected, made = ours.recv()
    other.join()
    answers = [one for each in seen for one in each.answers]
    wrong = sum(
        answer["memory_version"] not in expected
        or not _agree(answer["predictions"][0], expected[answer["memory_version"]][at])
        for at, answer, _ in answers
    )
    failed = sum(status != 200 for each in seen for status in each.statuses) + sum(len(each.errors) for each in seen)
    stale = sum(
        answer["memory_version"] < max(version for when, version in made if when <= begun)
        for _, answer, begun in answers
    )
    versions = len({answer["memory_version"] for _, answer, _ in answers})
    return [
        at_most("load with decisions: failed requests", failed, 0, answered=len(answers)),
        at_most("load with decisions: answers unlike a local one at their version", wrong, 0, versions=versions),
        at_most("load with decisions: answers by an older version than there was when they were asked", stale, 0),
        at_most(
            "load with decisions: growth of resident memory after 20 s", _growth(resident), 0.05, mib=_mib(resident)
        ),
    ]


def decide(memory: Path, pictures: Sequence[Path], told: Connection, ended: Event) -> None:
    """Accept, move and take back every second; then tell what a local prediction says at each version."""
    about = Decisions(memory)
    classifier = FewShotClassifier.load(memory)
    samples = classifier.embed(records_of(pictures))
    first, second = classifier.classes_.tolist()[:2]
    image = next(
        path
        for path, label in zip(classifier.fitted.samples.paths, classifier.fitted.samples.labels, strict=True)
        if label == first
    )
    number = about.proposals()[0].id
    verdicts = {classifier.memory_version: classifier.judge(samples)}
    made = [(0.0, classifier.memory_version)]  # by the clock of the system, which all processes share
    steps = (lambda: about.accept(number, "new"), about.undo, lambda: about.move(image, second), about.undo)
    told.send("begun")
    at = 0
    while not ended.wait(1.0):
        event = steps[at % len(steps)]()
        made.append((time.perf_counter(), event.version))
        at += 1
        now = FewShotClassifier.load(memory, encoder=classifier.encoder)
        verdicts[now.memory_version] = now.judge(samples)
    told.send((verdicts, made))


def kills(place: Path, times: int) -> Iterator[Row]:
    """A server that is killed while it writes: what it acknowledged is there, and the memory is whole."""
    memory, cache = _drawn(place)
    rng = random.Random(SEED)
    lost = damaged = acknowledged = 0
    for _ in range(times):
        with served(memory, cache=cache) as server:
            timer = threading.Timer(rng.uniform(0.05, 1.0), server.kill)
            timer.start()
            events = _write_until_killed(server.port)
            timer.join()
        acknowledged += len(events)
        damaged += _is_damaged(memory)
        lost += len(events - {one.id for one in Decisions(memory).history()})
    yield at_most(f"killed {times} times: memories that are not whole", damaged, 0)
    yield at_most(f"killed {times} times: acknowledged decisions that are lost", lost, 0, acknowledged=acknowledged)


def drawn(place: Path, *, examples: int) -> Iterator[Row]:
    """Requests that schemathesis draws from the document of the interface, with the right to write."""
    memory, cache = _drawn(place)
    with served(memory, cache=cache) as server:
        yield from drawn_cases(server, place, examples)
    yield at_most("after those of schemathesis: memories that are not whole", _is_damaged(memory), 0)


def fuzz(place: Path, *, cases: int) -> Iterator[Row]:
    """Requests that nobody of good will sends, all of them with the right to write."""
    memory, cache = _drawn(place)
    with served(memory, cache=cache) as server:
        yield from damaged_requests(server, cases, ASKING, what="bodies and pictures")
    with served(memory, cache=cache) as server:
        yield from damaged_requests(server, cases // 10, CHANGING, what="changes of the memory")
    yield at_most("after damaged ones: memories that are not whole", _is_damaged(memory), 0)


def _is_damaged(memory: Path) -> bool:
    try:
        verify(memory)
    except Exception:  # whatever is wrong with it
        return True
    return False


def _drawn(place: Path) -> tuple[Path, Path]:
    """A memory of drawn pictures with proposals, and its cache."""
    place.mkdir()
    write_dataset(place / "drawn", ["castle", "cat", "tree"], 8, seed=SEED)
    write_dataset(place / "others", ["car", "starfish"], 8, seed=SEED + 1)
    memory, cache = place / "memory.ink", place / "cache"
    FewShotClassifier("sketch", cache=cache).fit(place / "drawn").save(memory)
    classifier = FewShotClassifier.load(memory, cache=cache)
    explore(memory, classifier, classifier.embed(records_of(sorted((place / "others").rglob("*.png")))), min_images=3)
    return memory, cache


def _write_until_killed(port: int) -> set[int]:
    """Rename and take back as fast as it goes; numbers of the events that were acknowledged."""
    events: set[int] = set()
    try:
        client = Client(port)
        while True:
            for path, body in (("/v1/proposals/1/rename", {"name": f"car {time.time_ns()}"}), ("/v1/undo", {})):
                status, told = client.post(path, json.dumps(body).encode())
                if status != 200:
                    raise RuntimeError(f"{path} was answered with {status}: {told}")
                events.add(told["event"])
    except (OSError, ValueError, http.client.HTTPException):  # it was killed
        return events


if __name__ == "__main__":
    main()
