"""Decisions and predictions on a large memory: 1,000 classes, 100,000 exemplars of 512 dimensions with thumbnails.

    python bench/memory.py

Vectors are drawn: nothing here depends on what they show. Measured in one process, as a service has it: `accept` from
the call until the head that knows the new class is read back, and `predict` of one embedding that is at hand.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from common import Row, at_most, record
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
from inkling.types import ClassEntry, EncoderIdentity
from inkling.unknown import UnknownDetector

SEED = 0
N, DIMS, CLASSES = 100_000, 512, 1_000
NEW_CLASSES, NEW_IMAGES = 5, 40
THUMBNAIL_BYTES = 2_500
PREDICTIONS = 200
ACCEPT_SECONDS, PREDICT_MS = 2.0, 20.0

T = TypeVar("T")


def main() -> None:
    """Build, decide, predict, report."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--head", default="auto")
    head = arguments.parse_args().head
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.ink"
        rows = _fit(path, head, rng)
        _propose(path, rng)
        rows += _decide(path)
        rows += _predict(path, rng)
    record("memory", rows, seed=SEED, head=head, exemplars=N, dimensions=DIMS, classes=CLASSES)


def _fit(path: Path, head: str, rng: np.random.Generator) -> list[Row]:
    y = np.arange(N) % CLASSES
    centres = rng.standard_normal((CLASSES, DIMS), dtype=np.float32)
    X = unit_rows(centres[y] + 1.5 * rng.standard_normal((N, DIMS), dtype=np.float32)).astype(np.float32)
    text = unit_rows(centres + 3.0 * rng.standard_normal((CLASSES, DIMS), dtype=np.float32)).astype(np.float32)
    names = [f"class {k:04d}" for k in range(CLASSES)]
    samples = Samples(
        identity=EncoderIdentity("drawn", "drawn", f"drawn:{DIMS}", DIMS, 0, 100.0, "float32"),
        paths=tuple(f"images/{names[k]}/{row}.jpg" for row, k in enumerate(y)),
        labels=tuple(names[k] for k in y),
        content_hashes=tuple(f"{row:032x}" for row in range(N)),
        thumbnails=tuple(rng.bytes(THUMBNAIL_BYTES) for _ in range(N)),
        views=(0,) * N,
        X=X,
    )
    entries = [ClassEntry(name, (f"a photo of a {name}.",), (), row) for name, row in zip(names, text, strict=True)]
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


def _propose(path: Path, rng: np.random.Generator) -> None:
    """Pool images of new kinds, and propose each kind."""
    centres = np.repeat(rng.standard_normal((NEW_CLASSES, DIMS)), NEW_IMAGES, axis=0)
    X = unit_rows(centres + 1.5 * rng.standard_normal(centres.shape))
    images = [PooledImage(f"inbox/{k}.jpg", f"new-{k}", 0.01, rng.bytes(THUMBNAIL_BYTES)) for k in range(len(X))]
    observe(path, images, X.astype(np.float32), fingerprint=f"drawn:{DIMS}")
    parts = np.split(read_pool(path).ids, NEW_CLASSES)
    write_proposals(path, [Finding(tuple(map(int, part)), len(part), 0.9) for part in parts])


def _decide(path: Path) -> list[Row]:
    decide = Decisions(path)

    def accept_and_read() -> None:
        decide.accept(decide.proposals()[0].id)
        assert len(read_memory(path, exemplars=False).content.classes) > CLASSES

    accepts = [_timed(accept_and_read)[0] for _ in range(NEW_CLASSES)]
    renamed = _timed(lambda: decide.rename("class 0007", "seven"))[0]
    removed = _timed(lambda: decide.remove_class("class 0500"))[0]
    undone = [_timed(decide.undo)[0] for _ in range(3)]
    decide.undo()
    unknown = decide.proposals()
    again = _timed(lambda: decide.accept(unknown[0].id))[0]
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


def _timed(do: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    done = do()
    return time.perf_counter() - started, done


if __name__ == "__main__":
    main()
