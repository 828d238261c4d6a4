"""A memory of drawn vectors with proposals in it, and how to compare two moments of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory
from inkling.review.decisions import Decisions

CLASSES = ("car", "truck", "van")
UNKNOWN = ("bench", "plant")
DIMS = 8
SHOTS = 8
APART = 6.0
LOGGED = {"event", "change", "provenance", "statistics", "sqlite_sequence", "alembic_version"}


def centre(name: str) -> np.ndarray:
    """Where a class lies."""
    place = [*CLASSES, *UNKNOWN].index(name)
    return APART * np.eye(DIMS)[place]


def drawn(name: str, n: int, *, seed: int = 0) -> np.ndarray:
    """Vectors (n, DIMS) of a class."""
    rng = np.random.default_rng([seed, len(name), n])
    return rng.standard_normal((n, DIMS)) + centre(name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three known classes, and two proposals (1: bench, 2: plant) of six pooled images each."""
    fit_and_pool(tmp_path / "a.ink")
    return tmp_path / "a.ink"


def fit_and_pool(path: str | Path) -> None:
    """Fit the known classes, and propose the unknown ones; a file is written as it was made the first time."""
    if isinstance(path, Path):
        path.write_bytes(_made())
    else:
        _fit_and_pool(path)


@cache
def _made() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.ink"
        _fit_and_pool(path)
        return path.read_bytes()


def _fit_and_pool(path: str | Path) -> None:
    X = np.concatenate([drawn(name, SHOTS) for name in CLASSES])
    labels = [name for name in CLASSES for _ in range(SHOTS)]
    texts = np.stack([centre(name) for name in CLASSES])
    FewShotClassifier("none").fit_embeddings(X, labels, text_vectors=texts).save(path)
    pool(path, "bench", "plant")


def pool(path: str | Path, *names: str, n: int = 6, seed: int = 1) -> None:
    """Put images of these kinds into the pool, and propose each kind."""
    findings = [proposal.finding for proposal in Decisions(path).proposals()]
    for name in names:
        images = put_into_pool(path, name, n=n, seed=seed)
        waiting = read_pool(path)
        members = [number for number, one in zip(waiting.ids, waiting.images, strict=True) if one in images]
        findings.append(Finding(tuple(map(int, members)), n, 0.9, ({"name": name, "score": 0.5},), "car", 1.5))
    write_proposals(path, findings)


@pytest.fixture
def decide(path: Path) -> Decisions:
    """Decisions about that memory."""
    return Decisions(path)


def held(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that a memory holds, but for its log and its version."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {
            name: sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in tables
            if name not in LOGGED
        }
        rows["memory"] = database.execute("SELECT space_id FROM memory").fetchall()
    return rows


def put_into_pool(path: str | Path, name: str, *, n: int = 6, seed: int = 1) -> list[PooledImage]:
    """Images of a kind that are to wait in the pool."""
    vectors = drawn(name, n, seed=seed)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    images = [PooledImage(f"{name}/{k}.jpg", f"{name}-{seed}-{k}", 0.01, b"jpeg") for k in range(n)]
    observe(path, images, vectors, fingerprint=read_memory(path, exemplars=False).content.encoder.fingerprint)
    return images


Verbs = dict[str, Callable[[Decisions], object]]
VERBS: Verbs = {
    "accept": lambda decide: decide.accept(1, first_name=True),
    "accept by name": lambda decide: decide.accept(2, "flower pot"),
    "accept into a known class": lambda decide: decide.accept(1, "van", join=True),
    "merge": lambda decide: decide.merge([1, 2]),
    "split": lambda decide: decide.split(1),
    "discard": lambda decide: decide.discard(2),
    "rename a class": lambda decide: decide.rename("van", "delivery van"),
    "rename a proposal": lambda decide: decide.rename(1, "seat"),
    "remove a class": lambda decide: decide.remove_class("van"),
}
