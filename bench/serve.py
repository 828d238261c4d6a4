"""What serving costs over the encoder's own time, what it withstands, and that every answer is that of its version.

    python bench/serve.py [--seconds 60] [--load 60] [--kills 50] [--only latency,throughput,overload,load,kills]

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
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import ROOT, SHARED, Row, at_least, at_most, record
from inkling import FewShotClassifier
from inkling.images.decode import decode
from inkling.images.handed_over import records_of
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.sketch import write_dataset
from inkling.types import Verdict
from serving import Client, Seen, asked, form_of, served

SEED = 0
CROPS = SHARED / "data" / "coco_crops"
SURROGATE = ROOT / "bench" / "encoders" / "surrogate-clip-b32"
PICTURES = 16
ROUNDS = 8
REFUSED = 429
CLOSE = 1e-4
"""Probabilities of batches and of single pictures differ by rounding."""
SETTLED = 20.0
PARTS = ("latency", "throughput", "overload", "load", "kills")


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="Of overload.")
    parser.add_argument("--load", type=float, default=60.0, help="Seconds of load with decisions.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    only = options.only.split(",")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if set(only) - {"kills"}:
            rows += with_surrogate(place, options, only)
        if "kills" in only:
            rows += kills(place, options.kills)
    record("serve", rows, seed=SEED, seconds=options.seconds, load=options.load, kills=options.kills)


def with_surrogate(place: Path, options: argparse.Namespace, only: Sequence[str]) -> list[Row]:
    """All that is measured with the surrogate."""
    memory, cache = place / "crops.ink", place / "cache"
    FewShotClassifier(SURROGATE, cache=cache).fit(CROPS / "few_shot" / "train").save(memory)
    classifier = FewShotClassifier.load(memory, cache=cache)
    every = sorted((CROPS / "few_shot" / "test").rglob("*.jpg"))
    unseen = sorted((CROPS / "unseen").rglob("*.jpg"))
    explore(memory, classifier, classifier.embed(records_of([*every, *unseen])), min_images=5)
    pictures = random.Random(SEED).sample(every, PICTURES)
    rows: list[Row] = []
    with served(memory, cache=cache) as first:
        pass  # names are encoded once, as at the first start on a machine
    with served(memory, cache=cache) as server:
        rows.append(at_most("start to ready, processor seconds", server.processor, 3.0, first_start=first.processor))
        forms = [form_of(one) for one in pictures]
        if {"latency", "throughput"} & {*only}:
            rows += speed(server.port, classifier, pictures, forms)
        if "overload" in only:
            rows += overload(server, classifier, pictures, forms, options.seconds)
        if "load" in only:
            rows += load(server, memory, pictures, forms, options.load)
    return rows


def speed(port: int, classifier: FewShotClassifier, pictures: Sequence[Path], forms: Sequence[bytes]) -> list[Row]:
    """One client and eight, beside the encoder alone, in turn."""
    encoder = classifier.encoder
    decoded = [decode(one.read_bytes(), shorter_side=encoder.shorter_side) for one in pictures]
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


def overload(
    server: Any, classifier: FewShotClassifier, pictures: Sequence[Path], forms: Sequence[bytes], seconds: float
) -> list[Row]:
    """64 clients at once."""
    expected = _verdicts(classifier, pictures)
    resident: list[tuple[float, float]] = []
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, resident, ended))
    watch.start()
    # As many as the queue holds are answered; with twice as many pictures as it holds, some are refused.
    seen = asked(server.port, forms, clients=64, seconds=seconds)
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
        at_most("64 clients: growth of resident memory after 20 s", _growth(resident), 0.05),
    ]


def _watch(server: Any, resident: list[tuple[float, float]], ended: threading.Event) -> None:
    begun = time.perf_counter()
    while not ended.wait(0.5):
        resident.append((time.perf_counter() - begun, server.resident))


def _growth(resident: Sequence[tuple[float, float]]) -> float:
    """Largest difference from the first figure once things have settled, as a share."""
    last = resident[-1][0]
    settled = [size for at, size in resident if at >= min(SETTLED, last / 2)]
    return float(np.max(np.abs(np.array(settled) / settled[0] - 1)))


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


def load(server: Any, memory: Path, pictures: Sequence[Path], forms: Sequence[bytes], seconds: float) -> list[Row]:
    """Eight clients at full rate, while another process decides and takes back every second."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    ended = context.Event()
    other = context.Process(target=decide, args=(memory, pictures, theirs, ended))
    other.start()
    ours.recv()
    resident: list[tuple[float, float]] = []
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, resident, over))
    watch.start()
    seen = asked(server.port, forms, clients=8, seconds=seconds)
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
        at_most("load with decisions: growth of resident memory after 20 s", _growth(resident), 0.05),
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


def kills(place: Path, times: int) -> list[Row]:
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
        try:
            verify(memory)
        except Exception:  # whatever is wrong with it
            damaged += 1
        lost += len(events - {one.id for one in Decisions(memory).history()})
    return [
        at_most(f"killed {times} times: memories that are not whole", damaged, 0),
        at_most(f"killed {times} times: acknowledged decisions that are lost", lost, 0, acknowledged=acknowledged),
    ]


def _drawn(place: Path) -> tuple[Path, Path]:
    """A memory of drawn pictures with proposals, and its cache."""
    write_dataset(place / "drawn", ["castle", "cat", "tree"], 8, seed=SEED)
    write_dataset(place / "others", ["car", "starfish"], 8, seed=SEED + 1)
    memory, cache = place / "drawn.ink", place / "drawn-cache"
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
