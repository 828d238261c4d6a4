"""The SQLite file behind the embedding cache: opening it, its tables, and what happens when it is damaged.

A cache can always be made again, so a damaged file, or one of another release, is set aside and a new one
begun.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkling.errors import CacheError

SCHEMA_VERSION = 1
"""Raised with the tables, and with any change of decoding or views that changes what pixels an encoder
sees."""

BUSY_SECONDS = 60.0

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

_log = logging.getLogger(__name__)


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the cache file, made new where there is none; None is a temporary one that dies with the
    connection.

    Raises
    ------
    CacheError
        If the folder or the file cannot be made or opened.
    """
    if path is None:
        return _prepared("")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_use(path, error) from error
    with explained(path):
        try:
            return _prepared(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            set_aside(path, error)
            return _prepared(path)


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


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what SQLite raises into a `CacheError`, save damage, which the caller can mend."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise
        raise cannot_use(path, error) from error


def cannot_use(path: Path | None, error: Exception) -> CacheError:
    """The error that a user sees."""
    return CacheError(
        f"The embedding cache {path or '(temporary)'} cannot be used: {error}.",
        remedy="Free some space or mend the permissions of that folder, or name another folder in the "
        "environment variable INKLING_CACHE.",
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault: not a database, malformed, or without our tables."""
    return isinstance(error, _ForeignFile) or _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path, error: Exception) -> None:
    """Rename a damaged cache, with its journal, so that a new one can take its place."""
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    # The database goes first: SQLite discards a journal that it finds beside no database, never the other way
    # round.
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.replace(f"{aside}{suffix}")
    _log.warning("The embedding cache was damaged (%s). It is set aside as %s and begun anew.", error, aside)


class _ForeignFile(sqlite3.DatabaseError):
    """A sound database, but of another release or another program."""


def _prepared(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        # Before the first table: lets `prune` give space back without rewriting the file.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _switch_to_wal(connection)
        # In WAL mode this risks the last commits in a power cut, never the file, and saves a disk flush per
        # batch.
        connection.execute("PRAGMA synchronous = NORMAL")
        _ensure_tables(connection)
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
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
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
            raise _ForeignFile(f"schema version {found}, {SCHEMA_VERSION} expected")
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _code(error: sqlite3.Error) -> int | None:
    """Primary result code; SQLite's extended codes hold it in their lowest byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
