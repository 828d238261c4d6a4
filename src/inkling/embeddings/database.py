"""The SQLite file behind the embedding cache: opening it, its tables, and what happens when it is damaged.

A cache can always be made again: a damaged file, or one of another release, is set aside and a new one begun.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from inkling.encoders.per_process import PerProcess
from inkling.errors import CacheError
from inkling.wording import excerpt

SCHEMA_VERSION = 1
"""Raised with the tables, and with any change of decoding or views that changes what an encoder sees."""

BUSY_SECONDS = 60.0

ASIDE = ".aside-"
"""Stands after the name of a file that was set aside."""

_TABLES = """
CREATE TABLE encoders (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
);
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    view INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    embedding BLOB NOT NULL,
    feature BLOB,
    used REAL NOT NULL,
    UNIQUE (encoder, view, content_hash)
);
CREATE INDEX images_of_content ON images (content_hash);
CREATE TABLE thumbnails (
    content_hash TEXT PRIMARY KEY,
    jpeg BLOB NOT NULL
);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    encoder INTEGER NOT NULL REFERENCES encoders (id),
    text TEXT NOT NULL,
    vector BLOB NOT NULL,
    used REAL NOT NULL,
    UNIQUE (encoder, text)
);
"""

_REMEDY = (
    "Free some space or correct the permissions, or name another folder: in the environment variable INKLING_CACHE, or "
    "in the option cache of Python."
)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass
class _Own:
    """The connection of this process: SQLite's must not be carried over a fork."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    connection: sqlite3.Connection | None = None
    inode: int | None = None


class Database:
    """One SQLite file with the cache's tables, opened at the first use.

    Threads take turns; several processes may share the file.

    Parameters
    ----------
    path
        The file, made where there is none. None is a temporary one that dies with this object.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._own = PerProcess(_Own)

    def remove_set_aside(self) -> None:
        """Delete the files that were set aside over time."""
        if self._path is not None:
            try:
                for file in self._path.parent.glob(f"{self._path.name}{ASIDE}*"):
                    file.unlink(missing_ok=True)
            except OSError as error:
                raise _cannot_use(self._path, error) from error

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._own.value.lock:
            self._disconnect()

    def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Result of `work` on the open database; if that turns out damaged, on a new one.

        Raises
        ------
        CacheError
            If the file cannot be made, opened, read or written.
        """
        with self._own.value.lock:
            try:
                return self._attempt(work)
            except _UnusableFileError as reason:
                self._replace(reason)
            try:
                return self._attempt(work)
            except _UnusableFileError as reason:
                raise _cannot_use(self._path, reason) from reason

    def _attempt(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            return work(self._connected())
        except sqlite3.Error as error:
            if self._path is not None and _is_unusable(error):
                raise _UnusableFileError(str(error)) from error
            raise _cannot_use(self._path, error) from error
        except OSError as error:
            raise _cannot_use(self._path, error) from error

    def _connected(self) -> sqlite3.Connection:
        own = self._own.value
        if own.connection is not None and not self._has_moved():
            return own.connection
        self._disconnect()
        if self._path is None:
            connection = _open("")
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            own.inode = _inode(self._path)
            connection = _open_to_read(self._path) if _is_read_only(self._path) else _open(self._path)
            own.inode = _inode(self._path)
        own.connection = connection
        return connection

    def _has_moved(self) -> bool:
        """Whether the file was removed, or set aside by another process: further writes would be lost."""
        return self._path is not None and _inode(self._path) != self._own.value.inode

    def _disconnect(self) -> None:
        own = self._own.value
        if own.connection is not None:
            own.connection.close()
            own.connection = None

    def _replace(self, reason: Exception) -> None:
        """Set the file aside, unless another process has done so already and this one is new."""
        self._disconnect()
        try:
            if self._path is not None and not self._has_moved():
                _set_aside(self._path, reason)
        except OSError as error:
            raise _cannot_use(self._path, error) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; waits for other processes that write."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


class _UnusableFileError(Exception):
    """The file itself is at fault: damaged or foreign."""


class _ForeignDatabase(sqlite3.DatabaseError):
    """A sound database, but of another release or another program."""


def _is_unusable(error: sqlite3.Error) -> bool:
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, _ForeignDatabase) or _primary(error) in damage


def _primary(error: sqlite3.Error) -> int | None:
    """SQLite's extended result codes hold the primary one in their lowest byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _cannot_use(path: Path | None, error: Exception) -> CacheError:
    if path is None:
        told = "The temporary embedding cache cannot be used"
    elif isinstance(error, sqlite3.Error) and _primary(error) == sqlite3.SQLITE_READONLY:
        return CacheError(
            f"The embedding cache {path} is read-only: it can be read, and nothing be kept.", remedy=_REMEDY
        )
    else:
        told = f"The embedding cache {path} cannot be used"
    file = None if path is None else next((each for each in path.parents if each.is_file()), None)
    cause = excerpt(error) if file is None else f"{file} is a file, and a folder is expected there"
    return CacheError(f"{told}: {cause}.", remedy=_REMEDY)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _set_aside(path: Path, reason: Exception) -> None:
    """Rename a damaged cache, with its journal, so that a new one can take its place."""
    aside = path.with_name(f"{path.name}{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    # The database goes first: SQLite discards a journal that it finds beside no database, never the reverse.
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.replace(f"{aside}{suffix}")
    _log.warning(
        "The embedding cache is damaged or of another release (%s). It is set aside as %s and begun anew.",
        reason,
        aside,
    )


def _open(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # Both before the first table. Pages of 16 KiB hold vectors without straddling; the vacuum lets
        # `prune` give space back without rewriting the file.
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _switch_to_wal(connection)
        # In WAL mode a power cut may cost the last commits, never the file; no batch waits for the disk.
        connection.execute("PRAGMA synchronous = NORMAL")
        _ensure_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_read_only(path: Path) -> bool:
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Open without writing anything, not even the files beside it that readers and writers share."""
    journal = Path(f"{path}-wal")
    how = "mode=ro" if journal.exists() and journal.stat().st_size else "immutable=1"
    where = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(where, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if (found := _version(connection)) != SCHEMA_VERSION:
            raise _ForeignDatabase(f"schema version {found}, {SCHEMA_VERSION} expected")
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Several processes that create one file at once: SQLite does not wait here by itself.
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _ensure_tables(connection: sqlite3.Connection) -> None:
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection):
        found = _version(connection)
        if found == SCHEMA_VERSION:
            return
        if found or connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            raise _ForeignDatabase(f"schema version {found}, {SCHEMA_VERSION} expected")
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
