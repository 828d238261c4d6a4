"""The exemplars that are nearest to a vector: by comparing with all, or by an index that is derived from the memory.

An index only names candidates. They are looked up in the memory and compared exactly, so an index that is wrong can
hide a neighbour, and cannot make one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from inkling.errors import InklingError
from inkling.memory import schema
from inkling.memory.derived import (
    CANDIDATES,
    CHUNK_ROWS,
    NEAREST,
    Index,
    Indexes,
    Sight,
    embeddings_of,
    exemplar_ids,
    is_same_memory,
    sight_of,
)
from inkling.memory.file_index import FileIndexes
from inkling.memory.opened import seeing
from inkling.memory.place import FilePlace, Place, place_of
from inkling.memory.read import count_exemplars
from inkling.memory.server_index import ServerIndexes
from inkling.types import IntArray, Vectors

EXACT = 100_000
"""Exemplars up to which a vector is compared with all."""
GONE = 0.25
"""Share of an index that may be gone from the memory before it is made anew."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Neighbour:
    """An exemplar near a vector.

    Attributes
    ----------
    similarity
        Cosine of the two embeddings.
    """

    content_hash: str
    path: str
    class_name: str
    similarity: float


@dataclass(frozen=True)
class SearchReport:
    """How the nearest exemplars of a memory are found.

    Attributes
    ----------
    exemplars
        How many there are.
    recall
        Share of the ten nearest that the index finds, measured when it was made; None where all are compared.
    note
        Why all are compared although there are many; None where there is nothing to say.
    """

    exemplars: int
    recall: float | None = None
    note: str | None = None

    def __str__(self) -> str:
        if self.recall is not None:
            return f"approximate: the index finds {self.recall:.1%} of the ten nearest, measured when it was made"
        return "exact" + (f": {self.note}" if self.note else "")


class NearestExemplars:
    """Finds the exemplars of a memory that are nearest to a vector. What others write is found at once. Thread-safe.

    Above `exact` exemplars an index is made in the background (HNSW; Malkov and Yashunin 2016, 1603.09320). From then
    on it names candidates, which are compared exactly; what was added since is compared without it.

    Parameters
    ----------
    memory
        The file, or the URL of a PostgreSQL database.
    exact
        Exemplars up to which a vector is compared with all.

    Examples
    --------
    >>> search = NearestExemplars("vehicles.ink")
    >>> vector = next(iter(FewShotClassifier.load("vehicles.ink").fitted.samples.embeddings))
    >>> [round(one.similarity, 3) for one in search.of(vector, count=1)]
    [1.0]
    >>> search.close()
    """

    def __init__(self, memory: str | Path, *, exact: int = EXACT) -> None:
        self._memory, self._exact = memory, exact
        self._place = place_of(memory)
        self._kept = self._place.following()
        self._indexes = indexes_of(self._place)
        self._lock = threading.RLock()
        self._state: tuple[int, ...] | None = None
        self._sight: Sight | None = None
        self._index: Index | None = None
        self._held = _Held.none(0)
        self._building: threading.Thread | None = None

    def of(self, vector: Vectors, *, count: int) -> list[Neighbour]:
        """The nearest images to an embedding (d,), each picture once.

        Raises
        ------
        MemoryFileError
            If the memory is gone or cannot be read.
        """
        asked = max(CANDIDATES, count * CANDIDATES // NEAREST)
        with self._lock, self._place.explained():
            sight = self._followed()
            while True:
                ids = self._candidates(vector, asked)
                found = self._compared(sight, ids, vector)
                if len(found) >= count or len(ids) < asked:
                    return found[:count]
                asked *= 4  # many of them are views or copies of one picture

    def wait(self) -> None:
        """Until an index that is being made is there."""
        with self._lock:
            building = self._building
        if building is not None:
            building.join()

    def close(self) -> None:
        """Let the memory go."""
        with self._lock:
            self._kept.close()

    def _followed(self) -> Sight:
        """Bring what is held into agreement with the memory, where that has changed."""
        state = self._kept.state()
        if state == self._state and self._sight is not None:
            return self._sight
        with seeing(self._memory) as connection:
            sight = sight_of(connection)
            if self._sight is None or not is_same_memory(connection, self._sight, sight):
                self._held = _Held.none(sight.dimension)
            n = count_exemplars(connection, sight.space_id)
            self._index = self._indexes.current(connection, sight) if n > self._exact else None
            beside, gone = _all(connection, sight) if self._index is None else self._index.beside(connection, sight)
            if n > self._exact and (len(beside) > self._exact or gone > GONE * n):
                self._build(connection, sight)
        self._held = self._held.of(beside, lambda ids: embeddings_of(self._kept.ask, sight, ids))
        self._sight, self._state = sight, state
        return sight

    def _build(self, connection: Connection, sight: Sight) -> None:
        """Begin to make an index in the background, by half of the cores; once, unless it is possible only later."""
        if self._building is None and self._indexes.missing(connection, sight) is None:
            self._building = threading.Thread(target=self._built, name="nearest exemplars", daemon=True)
            self._building.start()

    def _built(self) -> None:
        try:
            self._indexes.build(threads=max(1, (os.cpu_count() or 1) // 2))
        except (InklingError, SQLAlchemyError, OSError, RuntimeError) as error:
            _log.warning("No index of the exemplars of %s could be made: %s", self._place, error)
            return  # and this process does not try again
        with self._lock:
            self._building, self._state = None, None

    def _candidates(self, vector: Vectors, count: int) -> IntArray:
        near = self._held.near(vector, count)
        return near if self._index is None else np.concatenate([near, self._index.near(self._kept.ask, vector, count)])

    def _compared(self, sight: Sight, ids: IntArray, vector: Vectors) -> list[Neighbour]:
        """Those of some exemplars that are still in the memory, nearest first, each picture once."""
        exemplar, klass, table = schema.exemplar, schema.klass, schema.vector
        query = select(exemplar.c.id, exemplar.c.path, exemplar.c.content_hash, klass.c.name, table.c.data)
        query = query.join(klass, klass.c.id == exemplar.c.class_id)
        query = query.join(table, (table.c.exemplar_id == exemplar.c.id) & (table.c.space_id == sight.space_id))
        rows = [
            row
            for start in range(0, len(ids), CHUNK_ROWS)
            for row in self._kept.ask(query.where(exemplar.c.id.in_(ids[start : start + CHUNK_ROWS].tolist())))
        ]
        cosines = sight.embeddings([row.data for row in rows]) @ vector
        found: dict[str, Neighbour] = {}
        for at in np.lexsort((np.array([row.id for row in rows], dtype=np.int64), -cosines)).tolist():
            row = rows[at]
            if row.content_hash not in found:
                found[row.content_hash] = Neighbour(row.content_hash, row.path, row.name, float(cosines[at]))
        return list(found.values())


@dataclass(frozen=True, eq=False)
class _Held:
    """Exemplars that are compared without an index: their numbers, ascending, and embeddings (n, d)."""

    ids: IntArray
    X: Vectors

    @classmethod
    def none(cls, dimension: int) -> _Held:
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, dimension), dtype=np.float32))

    def of(self, ids: IntArray, read: Callable[[IntArray], tuple[IntArray, Vectors]]) -> _Held:
        """Those that are wanted: what is held of them already, and what else is read."""
        stay = np.isin(self.ids, ids, assume_unique=True)
        new = np.setdiff1d(ids, self.ids, assume_unique=True)
        if stay.all() and not len(new):
            return self
        if not stay.any():
            return _Held(*read(new))
        found, X = read(new)
        together = np.concatenate([self.ids[stay], found])
        order = np.argsort(together)
        return _Held(together[order], np.concatenate([self.X[stay], X])[order])

    def near(self, vector: Vectors, count: int) -> IntArray:
        """Numbers of the nearest."""
        if count >= len(self.ids):
            return self.ids
        return self.ids[np.argpartition(-(self.X @ vector), count)[:count]]


def indexes_of(place: Place) -> Indexes:
    """What makes and opens the index of a memory."""
    return FileIndexes(place) if isinstance(place, FilePlace) else ServerIndexes(place)


def search_report(memory: str | Path, *, exact: int = EXACT) -> SearchReport:
    """How the nearest exemplars of a memory are found, as it stands.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    indexes = indexes_of(place_of(memory))
    with seeing(memory) as connection:
        sight = sight_of(connection)
        n = count_exemplars(connection, sight.space_id)
        if n <= exact:
            return SearchReport(n)
        recall = indexes.recall(connection, sight)
        if recall is not None:
            return SearchReport(n, recall)
        return SearchReport(n, note=indexes.missing(connection, sight) or "a service makes an index when first asked")


def index_exemplars(memory: str | Path) -> float:
    """Make the index of a memory now, rather than when a service is first asked for the nearest exemplars.

    Returns
    -------
    float
        Share of the ten nearest exemplars that it finds.

    Raises
    ------
    MemoryFileError
        If the memory cannot be read.
    MissingExtraError
        If the package behind the index is not installed.

    Examples
    --------
    >>> index_exemplars("vehicles.ink")
    1.0
    """
    place = place_of(memory)
    with place.explained():
        place.require_memory()
    return indexes_of(place).build()


def _all(connection: Connection, sight: Sight) -> tuple[IntArray, int]:
    """Where there is no index, all are beside it."""
    return exemplar_ids(connection, sight.space_id), 0
