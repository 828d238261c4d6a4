"""Connections to a memory file, one transaction each."""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row, StaticPool, create_engine, event, text
from sqlalchemy.util import LRUCache

from inkling.errors import MemoryFileError
from inkling.memory.faults import damaged
from inkling.memory.held import held
from inkling.memory.schema import APPLICATION_ID
from inkling.wording import excerpt

PAGES = (4096, 8192, 16384, 32768)
N_TABLES = 32
"""About so many tables and indices take a page each, however little they hold."""
MIN_ROWS = 256
"""Vectors that a file is laid out for at least, since memories grow."""
CACHE_KIB = 65536
BUSY_SECONDS = 60.0
COMPILED = 500
"""Statements that are kept as they were compiled; a process has about two hundred."""
_VERSION = "SELECT version FROM memory"
NO_ROOM = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMMAP", "SQLITE_IOERR_WRITE"})
"""What SQLite says where it cannot make its side files on a full disk."""


def page_bytes(n_rows: int, row_bytes: int) -> int:
    """Size of the pages that make the smallest file of rows of so many bytes.

    4096 bytes hold one vector of 512 float32 and stay half empty, 16384 one of 3,072 and stay a quarter empty.

    A row that fits no page goes on in pages of its own (the SQLite file format, section 1.6).
    """

    def size(page: int) -> float:
        most, least = page - 35, (page - 12) * 32 // 255 - 23
        local, spilled = row_bytes, 0
        if row_bytes > most:
            local = least + (row_bytes - least) % (page - 4)
            local = local if local <= most else least
            spilled = -(-(row_bytes - local) // (page - 4))
        return page * (N_TABLES + max(n_rows, MIN_ROWS) * (spilled + 1 / ((page - 8) // (local + 8))))

    return min(PAGES, key=size)


@contextmanager
def creating(path: Path, *, page: int = PAGES[-2]) -> Iterator[Connection]:
    """One transaction that fills a new database with pages of so many bytes.

    There is no journal: where filling it fails, the caller throws the file away.
    """
    with _opened(path, "mode=rwc") as database:
        database.execute(f"PRAGMA page_size = {page}")
        database.execute("PRAGMA auto_vacuum = FULL")  # what was taken out is not e-mailed along
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        with transaction(database, begin="BEGIN EXCLUSIVE") as connection:
            yield connection
        database.execute("PRAGMA journal_mode = WAL")


@contextmanager
def writing(path: Path, *, foreign_keys: bool = True) -> Iterator[Connection]:
    """One transaction on an existing memory; readers see the old version until it commits.

    Waits for another writer for up to a minute.
    """
    with _opened(path, "mode=rw") as database:
        database.execute(f"PRAGMA foreign_keys = {foreign_keys:d}")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        with transaction(database, begin="BEGIN IMMEDIATE") as connection:
            yield connection
        _checkpoint(database, path)


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """One read transaction: all that is read belongs to the same version, whatever writers do meanwhile."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # Opened for writing, although nothing is written: the last to close tidies the side files away.
        with _opened(path, "mode=rw") as database:
            if _can_share(database):
                with transaction(database, begin="BEGIN") as connection:
                    database.execute("PRAGMA query_only = ON")
                    yield connection
                return
    if _has_side_file(path):
        with _opened(path, "mode=ro") as database, transaction(database, begin="BEGIN") as connection:
            yield connection
    else:
        with (
            _opened(path, "immutable=1") as database,
            transaction(database, begin="BEGIN") as connection,
            _unchanged(path),
        ):
            yield connection


def check_integrity(connection: Connection, path: Path) -> None:
    """Read every page; refuse a file whose structure is broken, or whose rows refer to missing rows.

    Raises
    ------
    MemoryFileError
        With the first fault that SQLite finds.
    """
    finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if finding != "ok":
        raise damaged(path, excerpt(str(finding)))
    stray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if stray is not None:
        raise damaged(path, f"a row of table {stray[0]!r} refers to a missing row of {stray[2]!r}")


@contextmanager
def transaction(database: sqlite3.Connection, *, begin: str) -> Iterator[Connection]:
    """SQLAlchemy's view of an open database, within one transaction that commits at the end."""
    engine = engine_of(database)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    with engine.begin() as connection:
        yield connection


def engine_of(database: sqlite3.Connection) -> Engine:
    """SQLAlchemy's view of an open database.

    Its statements are compiled once in a process, whichever memory they are for: that takes longer than to run them.
    """

    def given() -> Any:
        return database

    first, compiled = _first_engine()
    pool = StaticPool(given, dialect=first.dialect)
    return Engine(pool, first.dialect, first.url, execution_options={"compiled_cache": compiled})


@cache
def _first_engine() -> tuple[Engine, LRUCache[Any, Any]]:
    """An engine that has found out what this SQLite can do, and what has been compiled for it."""
    engine = create_engine("sqlite://")
    with engine.connect():
        return engine, LRUCache(COMPILED)


class KeptFile:
    """Reads a memory again and again, by a connection that is kept. For one thread at a time.

    Where nothing can be written, not even a side file, there is no such connection: then each reading opens the file.

    Parameters
    ----------
    path
        The memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._kept: Connection | None = None
        self._file: tuple[int, int] | None = None

    def state(self) -> tuple[int, ...]:
        """Which file is at the path by now, and its version."""
        ((version,),) = self.ask(text(_VERSION))
        assert self._file is not None, "it was just read"
        return (*self._file, int(version))

    def ask(self, query: Executable) -> Sequence[Row[Any]]:
        """Rows of one query, which sees one version; of the file that is at the path by now."""
        status = self._path.stat()
        before, self._file = self._file, (status.st_dev, status.st_ino)
        if not (os.access(self._path, os.W_OK) and os.access(self._path.parent, os.W_OK)):
            with reading(self._path) as connection:
                return connection.execute(query).all()
        if self._kept is None or self._file != before:
            self.close()
            kept = self._stack.enter_context(_opened(self._path, "mode=rw"))
            self._kept = self._stack.enter_context(engine_of(kept).connect())
        rows = self._kept.execute(query).all()
        self._kept.rollback()  # nothing was begun in the database; SQLAlchemy would keep its own account open
        return rows

    def wait(self, seconds: float) -> None:
        """Let the time pass."""
        time.sleep(seconds)

    def close(self) -> None:
        """Let the file go."""
        self._stack.close()
        self._kept = None


@contextmanager
def _opened(path: Path, options: str) -> Iterator[sqlite3.Connection]:
    # Python's own handling of transactions is off: it would not begin one before a change of the schema.
    with held(path), closing(_connected(path, options)) as database:
        database.execute("PRAGMA trusted_schema = OFF")  # functions in a foreign schema are not run
        yield database


def _connected(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # threads may take turns, as those of a service do
    )


def _can_share(database: sqlite3.Connection) -> bool:
    """Whether there is room for the side file that readers and writers share; on a full disk there is not."""
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname in NO_ROOM:
            return False
        raise
    return True


def _has_side_file(path: Path) -> bool:
    """Whether a part of the memory is still in its -wal file."""
    side = path.with_name(path.name + "-wal")
    return side.exists() and side.stat().st_size > 0


@contextmanager
def _unchanged(path: Path) -> Iterator[None]:
    """Where no lock can be taken, at least notice that somebody else has written."""
    before = path.stat()
    yield
    after = path.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise MemoryFileError(
            f"The memory {path} was changed while it was being read.", remedy="Run the command again."
        )


def _checkpoint(database: sqlite3.Connection, path: Path) -> None:
    """Bring what was committed from the side file into the memory itself, and say so where a part stays behind."""
    try:
        busy, pages, joined = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        reason = str(error)
    else:
        if not busy and joined == pages:
            return
        reason = "somebody is reading the version before it"
    warnings.warn(
        f"The new version of {path} is safe, but a part of it is still in {path.name}-wal ({reason}). "
        "Keep the two files together; the next command that opens the memory joins them.",
        RuntimeWarning,
        stacklevel=2,
    )
