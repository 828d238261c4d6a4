"""Indexes of the exemplars that are derived from a memory: what they are made from, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Connection, Executable, Row, select

from inkling.memory import schema
from inkling.memory.read import float32_rows, read_encoder, version_of
from inkling.types import IntArray, Vectors

Ask = Callable[[Executable], Sequence[Row[Any]]]
"""Runs one query and gives its rows."""

CHUNK_ROWS = 4096
SAMPLED, NEAREST = 500, 10
"""Exemplars by which recall is measured when an index is made, and neighbours of each that it should find."""
CANDIDATES = 40
"""What a search for so many looks at, and compares exactly: recall is the share of the nearest among them."""


@dataclass(frozen=True)
class Sight:
    """A memory as it was looked at.

    Attributes
    ----------
    version, digest
        Its version, and what the log says that it held then; None where an earlier release kept no log.
    space_id, dimension, width
        The space in use, length of an embedding there, and of a whole vector.
    """

    version: int
    digest: str | None
    space_id: int
    dimension: int
    width: int

    def embeddings(self, blobs: Sequence[bytes]) -> Vectors:
        """Embeddings (n, d) of vectors as the memory keeps them."""
        return float32_rows(blobs, self.width)[:, : self.dimension]


class Index(Protocol):
    """Names exemplars that are near a vector."""

    def beside(self, connection: Connection, sight: Sight) -> tuple[IntArray, int]:
        """Exemplars that it lacks, ascending, and how many it has that are gone from the memory."""

    def near(self, ask: Ask, vector: Vectors, count: int) -> IntArray:
        """Numbers of so many exemplars; some may be gone from the memory."""


class Indexes(Protocol):
    """Makes and opens the index of one memory."""

    def current(self, connection: Connection, sight: Sight) -> Index | None:
        """The index, if there is one of this memory and space that is whole."""

    def recall(self, connection: Connection, sight: Sight) -> float | None:
        """What was measured of that index; None without one."""

    def missing(self, connection: Connection, sight: Sight) -> str | None:
        """Why none can be made, with what to do about it; None where one can."""

    def build(self, *, threads: int = 0) -> float:
        """Make it, unless somebody is just doing so; gives its recall. By all cores, or so many threads."""


def sight_of(connection: Connection) -> Sight:
    """The memory as a read transaction sees it."""
    space_id, encoder = read_encoder(connection)
    version = version_of(connection)
    width = encoder.dimension + encoder.feature_dimension
    return Sight(version, log_digest(connection, version), space_id, encoder.dimension, width)


def log_digest(connection: Connection, version: int) -> str | None:
    """Digest of all that the memory held at a version, by its log."""
    table = schema.event
    digest = connection.execute(select(table.c.digest).where(table.c.version == version)).scalar()
    return None if digest is None else str(digest)


def is_same_memory(connection: Connection, then: Sight, now: Sight) -> bool:
    """Whether a memory is the one that was seen then, in the same space.

    Exemplars and spaces get numbers that are never given twice, and a vector never changes. So within one memory the
    numbers alone say which vectors came and went.
    """
    known = then.digest is not None and log_digest(connection, then.version) == then.digest
    return known and (then.space_id, then.dimension) == (now.space_id, now.dimension)


def exemplar_ids(connection: Connection, space_id: int) -> IntArray:
    """Numbers of the exemplars with a vector in a space, ascending."""
    table = schema.vector
    query = select(table.c.exemplar_id).where(table.c.space_id == space_id)
    return np.sort(np.array(connection.execute(query).scalars().all(), dtype=np.int64))


def embedding_chunk(ask: Ask, sight: Sight, *, after: int) -> tuple[IntArray, Vectors]:
    """Numbers and embeddings of the next exemplars by their numbers; empty at the end."""
    table = schema.vector
    query = select(table.c.exemplar_id, table.c.data).where(table.c.space_id == sight.space_id)
    rows = ask(query.where(table.c.exemplar_id > after).order_by(table.c.exemplar_id).limit(CHUNK_ROWS))
    return np.array([row.exemplar_id for row in rows], dtype=np.int64), sight.embeddings([row.data for row in rows])


def embedding_chunks(ask: Ask, sight: Sight) -> Iterator[tuple[IntArray, Vectors]]:
    """Numbers and embeddings of all exemplars, a chunk at a time.

    Each chunk is read by itself: a transaction over all of them would keep writers from tidying up for minutes.
    """
    ids, X = embedding_chunk(ask, sight, after=-1)
    while len(ids):
        yield ids, X
        ids, X = embedding_chunk(ask, sight, after=int(ids[-1]))


def embeddings_of(ask: Ask, sight: Sight, ids: IntArray) -> tuple[IntArray, Vectors]:
    """Those of some exemplars that are still there, ascending, and their embeddings."""
    table, kept, found = schema.vector, list[int](), list[bytes]()
    query = select(table.c.exemplar_id, table.c.data).where(table.c.space_id == sight.space_id)
    query = query.order_by(table.c.exemplar_id)
    for start in range(0, len(ids), CHUNK_ROWS):
        for row in ask(query.where(table.c.exemplar_id.in_(ids[start : start + CHUNK_ROWS].tolist()))):
            kept.append(row.exemplar_id)
            found.append(row.data)
    return np.array(kept, dtype=np.int64), sight.embeddings(found)


class ExactNeighbours:
    """The nearest exemplars of a sample of them, by comparing with all as they are read.

    Parameters
    ----------
    ids, X
        The sample: numbers (m,) and embeddings (m, d). An exemplar is no neighbour of its own.
    """

    def __init__(self, ids: IntArray, X: Vectors) -> None:
        self.ids, self.X = ids, X
        self._cosines = np.full((len(ids), NEAREST), -np.inf, dtype=np.float32)
        self._near = np.full((len(ids), NEAREST), -1, dtype=np.int64)

    @classmethod
    def of_sample(cls, ask: Ask, sight: Sight, ids: IntArray) -> ExactNeighbours:
        """Of a sample evenly among exemplars."""
        some = ids[np.linspace(0, len(ids) - 1, min(SAMPLED, len(ids))).astype(np.int64)]
        return cls(*embeddings_of(ask, sight, some))

    def see(self, ids: IntArray, X: Vectors) -> None:
        """More exemplars."""
        cosines = self.X @ X.T
        cosines[self.ids[:, None] == ids] = -np.inf
        cosines = np.concatenate([self._cosines, cosines], axis=1)
        near = np.concatenate([self._near, np.broadcast_to(ids, (len(self.ids), len(ids)))], axis=1)
        best = np.argpartition(-cosines, NEAREST - 1, axis=1)[:, :NEAREST]
        self._cosines = np.take_along_axis(cosines, best, axis=1)
        self._near = np.where(self._cosines == -np.inf, -1, np.take_along_axis(near, best, axis=1))

    def recall(self, near: Callable[[Vectors, int], IntArray]) -> float:
        """Share of them among the candidates that a search names; its own exemplar comes on top of their number."""
        hits, wanted = 0, 0
        for vector, exact in zip(self.X, self._near, strict=True):
            hits += int(np.isin(exact[exact >= 0], near(vector, CANDIDATES + 1)).sum())
            wanted += int((exact >= 0).sum())
        return hits / wanted if wanted else 1.0
