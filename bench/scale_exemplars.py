"""The nearest exemplars of large memories: a file, and PostgreSQL with pgvector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import ROOT, Row, at_least, at_most
from drawn_mixture import CHUNK, Mixture, content_of
from inkling.memory.nearest import index_exemplars
from inkling.memory.store import write_memory
from inkling.types import FloatArray, IntArray

SEED = 0
N = int(os.environ.get("EXEMPLARS", 1_000_000))
"""Exemplars; fewer for a trial, which the names of the rows then say."""
PER_CLASS = 100
QUERIES, COUNT = 500, 10


@dataclass(frozen=True, eq=False)
class Drawn:
    """A memory file, images to ask about (n, DIMS), and the nearest exemplars of each (n, COUNT)."""

    path: Path
    queries: FloatArray
    nearest: IntArray
    write_s: float


def of_file(n: int = N) -> Iterator[Row]:
    """In a file, with the index in a cache folder of its own."""
    with drawn_memory(n) as drawn:
        os.environ["INKLING_CACHE"] = str(drawn.path.with_name("cache"))
        started = time.perf_counter()
        stated = index_exemplars(drawn.path)
        built = time.perf_counter() - started
        told = searched(str(drawn.path), drawn)
    yield from rows_of(f"file, {n:,} x 512", told, drawn, p50_ms=10.0)
    yield at_most(f"file, {n:,} x 512: opened with its index, s", told["open_s"], 3.0)
    yield at_most(f"file, {n:,} x 512: peak resident, GiB", told["peak_bytes"] / 2**30, 2.0)
    yield Row(f"file, {n:,} x 512: index made, s", built, details={"recall_stated": stated, "write_s": drawn.write_s})


def rows_of(what: str, told: dict[str, object], drawn: Drawn, *, p50_ms: float) -> Iterator[Row]:
    """Time of a search, and what it finds."""
    p50, p99 = np.percentile(told["ms"], [50, 99])
    hits = [len({*found} & {*exact}) for found, exact in zip(told["found"], drawn.nearest.tolist(), strict=True)]
    yield at_most(f"{what}: nearest exemplars of an image, ms (p50)", p50, p50_ms, p99=float(p99))
    yield at_least(f"{what}: recall@{COUNT}", float(np.mean(hits)) / COUNT, 0.98, queries=len(hits))


@contextmanager
def drawn_memory(n: int) -> Iterator[Drawn]:
    """A memory of so many exemplars, in a folder that goes."""
    rng = np.random.default_rng(SEED)
    n_classes = n // PER_CLASS
    mixture = Mixture.of(n_classes, rng)
    y = np.arange(n) % n_classes
    X = mixture.images(y, rng)
    queries = mixture.images(rng.integers(n_classes, size=QUERIES), rng)
    nearest = exact_nearest(X, queries)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.ink"
        started = time.perf_counter()
        write_memory(path, content_of(X, y, n_classes))
        took = time.perf_counter() - started
        del X
        yield Drawn(path, queries, nearest, took)


def exact_nearest(X: FloatArray, queries: FloatArray) -> IntArray:
    """The nearest rows of X to each query, by comparing with all."""
    best: list[FloatArray] = []
    rows: list[IntArray] = []
    for start in range(0, len(X), CHUNK):
        cosines = queries @ X[start : start + CHUNK].T
        some = np.argpartition(-cosines, COUNT, axis=1)[:, :COUNT]
        rows.append(some + start)
        best.append(np.take_along_axis(cosines, some, axis=1))
    order = np.argsort(-np.concatenate(best, axis=1), axis=1)[:, :COUNT]
    return np.take_along_axis(np.concatenate(rows, axis=1), order, axis=1)


def searched(memory: str, drawn: Drawn) -> dict[str, object]:
    """What a process of its own finds, how long that takes and what it holds."""
    queries = drawn.path.with_name("queries.npy")
    np.save(queries, drawn.queries)
    script = ROOT / "bench" / "scale_search.py"
    done = subprocess.run([sys.executable, script, memory, queries], capture_output=True, check=True, text=True)
    return dict(json.loads(done.stdout))


PARTS = {"exemplars": of_file}
