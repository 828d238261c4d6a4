"""The index of the exemplars of a PostgreSQL memory: HNSW by pgvector, made without keeping writers waiting."""

from __future__ import annotations

import time
from contextlib import closing

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from inkling.errors import MemoryChangedError, MissingExtraError
from inkling.memory import schema
from inkling.memory.derived import (
    Ask,
    ExactNeighbours,
    Sight,
    embedding_chunk,
    embedding_chunks,
    exemplar_ids,
    is_same_memory,
    sight_of,
)
from inkling.memory.place import Place
from inkling.memory.read import count_exemplars
from inkling.memory.server import ServerPlace
from inkling.memory.server_search import (
    INDEX,
    MAX_DIMENSION,
    TABLE,
    declare_complete,
    drop_table,
    make_table,
    pgvector_schema,
    put_rows,
    searched,
)
from inkling.types import IntArray, Vectors

CONNECTIVITY, EXPANSION_ADD, EXPANSION_SEARCH, MOST_SEARCHED = 16, 96, 100, 1000
"""Edges of a node (twice as many on the lowest level), nodes in view while it is made and searched, and the most."""
BUILDERS = schema.APPLICATION_ID + 1
"""Advisory lock of whoever makes the index."""
BYTES_BESIDE = 400
"""What a row takes in the making of an index beside its numbers, about."""
MAX_BUILD_MIB = 4096
PARALLEL = 2
"""Processes that help the server to make it, as its own default is."""
WAIT_SECONDS = 0.5
INSTALL = "run CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions"
DISK_FULL = "53100"
"""What PostgreSQL reports for shared memory that it does not get, too."""


class ServerIndex:
    """The index in use.

    Parameters
    ----------
    dimension
        Of an embedding.
    schema
        That pgvector is in, quoted.
    """

    def __init__(self, dimension: int, schema: str) -> None:
        operator, vector = f"OPERATOR({schema}.<#>)", f"CAST(:vector AS {schema}.halfvec({dimension}))"
        self._query = text(f"SELECT exemplar_id FROM {TABLE} ORDER BY embedding {operator} {vector} LIMIT :count")

    def beside(self, connection: Connection, sight: Sight) -> tuple[IntArray, int]:  # noqa: ARG002 - the interface's
        """None: each writer keeps the table in agreement."""
        return np.zeros(0, dtype=np.int64), 0

    def near(self, ask: Ask, vector: Vectors, count: int) -> IntArray:
        """Numbers of so many exemplars, at most 1,000."""
        wanted = min(max(EXPANSION_SEARCH, count), MOST_SEARCHED)
        ask(text("SELECT set_config('hnsw.ef_search', :wanted, false)").bindparams(wanted=str(wanted)))
        told = "[" + ",".join(f"{x:.5g}" for x in vector.tolist()) + "]"
        rows = ask(self._query.bindparams(vector=told, count=count))
        return np.array([row[0] for row in rows], dtype=np.int64)


class ServerIndexes:
    """Makes and opens the index of one memory.

    Parameters
    ----------
    place
        The memory.
    """

    def __init__(self, place: Place) -> None:
        assert isinstance(place, ServerPlace), "a file has another kind of index"
        self._place = place

    def missing(self, connection: Connection, sight: Sight) -> str | None:
        """What pgvector needs."""
        if sight.dimension > MAX_DIMENSION:
            return f"pgvector indexes at most {MAX_DIMENSION:,} dimensions, and the encoder gives {sight.dimension:,}"
        if pgvector_schema(connection) is not None:
            return None
        known = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
        if connection.execute(text(known)).scalar() is not None:
            return f"pgvector 0.7 or newer is not in this database: {INSTALL}, or ALTER EXTENSION vector UPDATE"
        release = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        return f"the server lacks pgvector (package postgresql-{release}-pgvector); then {INSTALL}"

    def recall(self, connection: Connection, sight: Sight) -> float | None:
        """What was measured when the table was filled, by its comment."""
        table = searched(connection)
        return None if table is None or table.space_id != sight.space_id else table.recall

    def current(self, connection: Connection, sight: Sight) -> ServerIndex | None:
        """The index, if it is complete and of the space in use."""
        schema = pgvector_schema(connection)
        there = schema is not None and self.recall(connection, sight) is not None
        return ServerIndex(sight.dimension, str(schema)) if there else None

    def build(self, *, threads: int = 0) -> float:
        """Make it, unless another process is at it: then that one's is waited for.

        Readers and writers go on: the table is filled in short turns, and the index made concurrently.
        """
        with self._place.explained():
            while True:
                with self._place.apart() as connection:
                    if connection.execute(text(f"SELECT pg_try_advisory_lock({BUILDERS})")).scalar_one():
                        return self._built(threads)
                time.sleep(WAIT_SECONDS)

    def _built(self, threads: int) -> float:
        with self._place.altering() as connection:
            sight = sight_of(connection)
            recall = self.recall(connection, sight)
            if recall is not None:
                return recall
            if lacking := self.missing(connection, sight):
                raise MissingExtraError("An index of the exemplars needs pgvector.", remedy=f"But {lacking}.")
            n = count_exemplars(connection, sight.space_id)
            make_table(connection, sight)
        self._fill(sight)
        self._make_index(n * (2 * sight.dimension + BYTES_BESIDE) >> 20, threads)
        recall = self._measured(sight)
        with self._place.altering() as connection:
            if not is_same_memory(connection, sight, sight_of(connection)):
                drop_table(connection)
                raise MemoryChangedError(f"The memory {self._place} was replaced meanwhile.", remedy="Try again.")
            declare_complete(connection, sight, recall=recall)
        return recall

    def _fill(self, sight: Sight) -> None:
        """A chunk in each turn, so that other writers come in between."""
        last = -1
        while True:
            with self._place.altering() as connection:
                ids, X = embedding_chunk(lambda query: connection.execute(query).all(), sight, after=last)
                if not len(ids):
                    return
                put_rows(connection, ids, X)
                last = int(ids[-1])

    def _make_index(self, mib: int, threads: int) -> None:
        """By several processes of the server; by one where those have no room to share memory, as in containers."""
        try:
            self._make_index_by(threads - 1 if threads else PARALLEL, mib)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != DISK_FULL:
                raise
            self._make_index_by(0, mib)

    def _make_index_by(self, workers: int, mib: int) -> None:
        with self._place.apart() as connection:
            connection.execute(text(f"SET maintenance_work_mem = '{min(max(mib, 64), MAX_BUILD_MIB)}MB'"))
            connection.execute(text(f"SET max_parallel_maintenance_workers = {workers}"))
            connection.execute(text(f"DROP INDEX IF EXISTS {INDEX}"))
            connection.execute(
                text(
                    f"CREATE INDEX CONCURRENTLY {INDEX} ON {TABLE} "
                    f"USING hnsw (embedding {pgvector_schema(connection)}.halfvec_ip_ops) "
                    f"WITH (m = {CONNECTIVITY}, ef_construction = {EXPANSION_ADD})"
                )
            )

    def _measured(self, sight: Sight) -> float:
        with closing(self._place.following()) as kept:
            with self._place.reading() as connection:
                ids = exemplar_ids(connection, sight.space_id)
                index = ServerIndex(sight.dimension, str(pgvector_schema(connection)))
            exact = ExactNeighbours.of_sample(kept.ask, sight, ids)
            for some, X in embedding_chunks(kept.ask, sight):
                exact.see(some, X)
            return exact.recall(lambda vector, count: index.near(kept.ask, vector, count))
