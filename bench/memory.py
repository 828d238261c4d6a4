"""Decisions, predictions and whole commands on memories up to 1,000 classes and 100,000 exemplars with thumbnails.

    python bench/memory.py [--rounds 5]

Vectors are drawn: nothing here depends on what they show. Measured twice. In one process, as a service has it: `accept`
from the call until the head that knows the new class is read back, and `predict` of one embedding that is at hand. And
as a user waits for it: commands in processes of their own, from start to end, on memories of three sizes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from common import Row, at_most, record
from drawn_memory import DIMS, IDENTITY, drawn, images_of
from inkling import FewShotClassifier
from inkling.classifier.detection import DEFAULT_FALSE_ALARMS
from inkling.classifier.fitted import fit_classifier
from inkling.classifier.persistence import from_memory, to_memory
from inkling.embeddings.samples import Samples
from inkling.heads.support import unit_rows
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory, write_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.types import FloatArray
from inkling.unknown import UnknownDetector
from processes import Cost, cost_of

SEED = 0
NEW_CLASSES, NEW_IMAGES = 5, 40
THUMBNAIL_BYTES = 2_500
PREDICTIONS = 200
ACCEPT_SECONDS, PREDICT_MS = 2.0, 20.0

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """Of a memory."""

    classes: int
    images: int

    def __str__(self) -> str:
        return f"{self.classes:,} classes, {self.images:,} images"


SMALL, MIDDLING, LARGE = Size(8, 234), Size(100, 1_600), Size(1_000, 100_000)


def main() -> None:
    """Build, decide, predict, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", default="auto")
    parser.add_argument("--rounds", type=int, default=5, help="Of each command.")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.ink"
        rows = _fit(path, options.head, rng, LARGE)
        whole = [row for size in (SMALL, MIDDLING) for row in _commands(size, options.head, options.rounds)]
        whole += _commands(LARGE, options.head, options.rounds, made=path)
        _propose(path, rng, NEW_CLASSES)
        rows += _decide(path)
        rows += _predict(path, rng)
    shape = {"exemplars": LARGE.images, "dimensions": DIMS, "classes": LARGE.classes}
    record("memory", [*rows, *whole], seed=SEED, head=options.head, rounds=options.rounds, **shape)


def _fit(path: Path, head: str, rng: np.random.Generator, size: Size) -> list[Row]:
    samples, entries = drawn(size.images, size.classes, rng, with_text=True, thumbnail_bytes=THUMBNAIL_BYTES)
    fit_seconds, fitted = _timed(lambda: fit_classifier(samples, entries, head=head, seed=SEED))
    detector_seconds, detector = _timed(
        lambda: UnknownDetector.fit(fitted.vectors, false_alarms=DEFAULT_FALSE_ALARMS, seed=SEED)
    )
    content = to_memory(replace(fitted, detector=detector), command="bench/memory.py")
    write_seconds, _ = _timed(lambda: write_memory(path, content))
    return [
        Row("fit, s", fit_seconds),
        Row("fit of the detector of unknown images, s", detector_seconds),
        Row("write the memory, s", write_seconds),
        Row("size of the file, MB", path.stat().st_size / 1e6),
    ]


def _propose(path: Path, rng: np.random.Generator, n: int) -> None:
    """Pool images of new kinds, and propose each kind."""
    X = _of_new_kinds(rng, n)
    images = [PooledImage(f"inbox/{k}.jpg", f"new-{k}", 0.01, rng.bytes(THUMBNAIL_BYTES)) for k in range(len(X))]
    observe(path, images, X, fingerprint=IDENTITY.fingerprint)
    parts = np.split(read_pool(path).ids, n)
    write_proposals(path, [Finding(tuple(map(int, part)), len(part), 0.9) for part in parts])


def _of_new_kinds(rng: np.random.Generator, n: int) -> FloatArray:
    centres = np.repeat(rng.standard_normal((n, DIMS), dtype=np.float32), NEW_IMAGES, axis=0)
    return images_of(centres, rng)


def _decide(path: Path) -> list[Row]:
    decide = Decisions(path)

    def accept_and_read() -> None:
        proposal = decide.proposals()[0].id
        decide.accept(proposal, f"new {proposal}")
        assert len(read_memory(path, exemplars=False).content.classes) > LARGE.classes

    accepts = [_timed(accept_and_read)[0] for _ in range(NEW_CLASSES)]
    renamed = _timed(lambda: decide.rename("class 0007", "seven"))[0]
    removed = _timed(lambda: decide.remove_class("class 0500"))[0]
    undone = [_timed(decide.undo)[0] for _ in range(3)]
    decide.undo()
    unknown = decide.proposals()
    again = _timed(lambda: decide.accept(unknown[0].id, "again"))[0]
    verified, found = _timed(lambda: verify(path))
    return [
        at_most("accept to live, s (worst)", max(accepts), ACCEPT_SECONDS, all=accepts),
        Row("rename, s", renamed),
        Row("remove-class, s", removed),
        Row("undo, s (worst)", max(undone), details={"all": undone}),
        Row("accept after two undone, all vectors read, s", again),
        Row("verify, s", verified, details={"replayed": found.replayed}),
        Row("size of the file with the log, MB", path.stat().st_size / 1e6),
    ]


def _predict(path: Path, rng: np.random.Generator) -> list[Row]:
    fitted = from_memory(read_memory(path, exemplars=False).content)
    classifier = FewShotClassifier("drawn")
    classifier.fitted = fitted
    identity = fitted.samples.identity
    X = unit_rows(rng.standard_normal((PREDICTIONS, DIMS))).astype(np.float32)
    samples = [Samples(identity, ("one",), (None,), ("one",), (None,), (0,), row[None]) for row in X]
    took = [1000 * _timed(lambda one=one: classifier.judge(one))[0] for one in samples]
    return [
        at_most("predict one embedding, ms (p50)", statistics.median(took), PREDICT_MS),
        Row("predict one embedding, ms (p95)", float(np.quantile(took, 0.95))),
    ]


def _commands(size: Size, head: str, rounds: int, *, made: Path | None = None) -> list[Row]:
    """Each command in a process of its own, in turn; every round observes and accepts what no other round did."""
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        memory = place / "a.ink"
        if made is None:
            _fit(memory, head, rng, size)
        else:
            shutil.copy(made, memory)
        _propose(memory, rng, rounds)
        np.savez(place / "one.npz", embeddings=_of_new_kinds(rng, 1)[:1])
        costs: dict[str, list[Cost]] = {}
        for number in range(rounds):
            np.savez(place / "inbox.npz", embeddings=_of_new_kinds(rng, 1))
            proposal = Decisions(memory).proposals()[0].id
            for name, arguments in {
                "info": ("info", memory),
                "classes": ("classes", memory),
                "predict of one": ("predict", memory, "one.npz"),
                "accept": ("accept", memory, proposal, "--name", f"new {number}"),
                f"predict --observe of {NEW_IMAGES}": ("predict", memory, "inbox.npz", "--observe"),
            }.items():
                costs.setdefault(name, []).append(cost_of(place, *arguments))
    return [_whole_process(f"{size}: {name}", found) for name, found in costs.items()]


def _whole_process(what: str, costs: list[Cost]) -> Row:
    wall, processor = [one.wall for one in costs], [one.processor for one in costs]
    return Row(
        f"{what}, whole process, s",
        statistics.median(wall),
        details={
            "all": wall,
            "processor_seconds": statistics.median(processor),
            "all_processor_seconds": processor,
            "peak_mb": max(one.peak for one in costs) / 1e6,
        },
    )


def _timed(do: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    done = do()
    return time.perf_counter() - started, done


if __name__ == "__main__":
    main()
