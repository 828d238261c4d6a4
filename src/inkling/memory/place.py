"""Where a memory is: a SQLite file, or a PostgreSQL database. All else in this room is the same for both."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Executable, Row

from inkling.errors import InputError
from inkling.images.places import is_url
from inkling.memory.copies import copy_file
from inkling.memory.database import KeptFile, check_integrity, creating, page_bytes, reading, transaction, writing
from inkling.memory.faults import explained, foreign, warn_of_strays
from inkling.memory.file import appearing, is_database, require_memory, require_writable
from inkling.memory.schema_check import foreign_parts, shadowing_parts, stray_parts
from inkling.redaction import redacted
from inkling.types import Vectors
from inkling.wording import quoted

T = TypeVar("T")

SERVERS = ("postgresql", "postgres")


class Following(Protocol):
    """Reads a memory again and again. For one thread at a time."""

    def state(self) -> tuple[int, ...]:
        """What is equal as long as the memory is the same: its version, and of a file which one it is."""

    def wait(self, seconds: float) -> None:
        """Return as soon as the memory may have changed, after so many seconds at the latest."""

    def ask(self, query: Executable) -> Sequence[Row[Any]]:
        """Rows of one query, which sees one version."""

    def close(self) -> None:
        """Let the memory go."""


class Place(Protocol):
    """What the two kinds of places do. Their text is what messages call them."""

    def exists(self) -> bool:
        """Whether there is something."""

    def require_memory(self) -> None:
        """Refuse what is no memory with a `MemoryFileError`."""

    def require_writable(self) -> None:
        """Refuse what cannot be written with a `MemoryFileError`."""

    def require_room(self) -> None:
        """Refuse with a `MemoryFileError` what holds no memory and has no room for one."""

    def explained(self) -> AbstractContextManager[None]:
        """Turn errors of the database and of the system into `MemoryFileError`."""

    def create(self, fill: Callable[[Connection], T], *, vectors: Vectors) -> T:
        """Make a new memory, which appears whole or not at all; `FileExistsError` if somebody was quicker.

        It is laid out for the vectors that it is to hold.
        """

    def create_copy(self, original: Connection) -> None:
        """Make a new memory of all rows that a read transaction sees; as `create`, whole or not at all."""

    def reading(self) -> AbstractContextManager[Connection]:
        """One read transaction."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction that may write; writers take turns."""

    def altering(self) -> AbstractContextManager[Connection]:
        """One transaction that may change the schema."""

    def check_integrity(self, connection: Connection) -> None:
        """Refuse what is damaged with a `MemoryFileError`."""

    def check_schema(self, connection: Connection, *, revision: str | None = None) -> None:
        """Refuse with a `MemoryFileError` what holds anything but the tables of a revision; the newest if None."""

    def copy_to_alter(self, connection: Connection) -> AbstractContextManager[Connection]:
        """A copy whose schema may be changed, for reading an older one."""

    def following(self) -> Following:
        """What reads it again and again, at little cost."""


def place_of(where: str | Path) -> Place:
    """The place that a user names: a file, or a URL that begins with ``postgresql`` or ``postgres``.

    Raises
    ------
    InputError
        If it is neither text nor a path, or a URL of another kind.
    """
    if not isinstance(where, str | os.PathLike) or "\0" in str(where):
        raise InputError(
            f"A memory must be named by the path of its file or the URL of a PostgreSQL database, got {quoted(where)}.",
            remedy="Such as 'vehicles.ink'.",
        )
    scheme, colon, _ = str(where).partition(":")
    if isinstance(where, str) and colon and scheme.partition("+")[0].lower() in SERVERS:
        from inkling.memory.server import ServerPlace

        return ServerPlace(where)
    if isinstance(where, str) and is_url(where):
        raise InputError(
            f"{quoted(redacted(where))} is no memory that Inkling can reach.",
            remedy="Name a file, such as vehicles.ink, or a PostgreSQL database: postgresql://USER@HOST/DATABASE.",
        )
    return FilePlace(Path(where).resolve())


def names_memory(where: object) -> bool:
    """Whether somebody means a memory, where it could be a source of images too; it may still be damaged or missing."""
    if isinstance(where, str) and where.partition(":")[0].partition("+")[0].lower() in SERVERS and ":" in where:
        return True
    if not isinstance(where, str | os.PathLike) or not Path(where).is_file():
        return False
    return Path(where).suffix.lower() == ".ink" or is_database(Path(where))


class FilePlace:
    """A SQLite file.

    Parameters
    ----------
    path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        """Whether there is something."""
        return self._path.exists()

    def require_memory(self) -> None:
        """See `inkling.memory.file.require_memory`."""
        require_memory(self._path)

    def require_writable(self) -> None:
        """See `inkling.memory.file.require_writable`."""
        require_writable(self._path)

    def require_room(self) -> None:
        """A memory is the whole of a file, so there is room where no file is, and where one is that is a memory."""
        if self.exists():
            self.require_memory()

    def explained(self) -> AbstractContextManager[None]:
        """See `inkling.memory.faults.explained`."""
        return explained(self._path)

    def create(self, fill: Callable[[Connection], T], *, vectors: Vectors) -> T:
        """Build it beside its place and let it appear there."""
        page = page_bytes(len(vectors), vectors.shape[1] * vectors.itemsize)
        with appearing(self._path) as partial, creating(partial, page=page) as connection:
            return fill(connection)

    def create_copy(self, original: Connection) -> None:
        """Build it beside its place, page by page where the original is a file, and let it appear there."""
        with appearing(self._path) as partial:
            copy_file(original, partial)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `inkling.memory.database.reading`. What stands in the place of a table is not read."""
        with reading(self._path) as connection:
            if parts := shadowing_parts(connection):
                raise foreign(self, parts)
            if strays := stray_parts(connection):
                warn_of_strays(self, strays)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """See `inkling.memory.database.writing`. Nothing is written where anything but the schema would take part."""
        with writing(self._path) as connection:
            self.check_schema(connection)
            yield connection

    def altering(self) -> AbstractContextManager[Connection]:
        """Without foreign keys: to alter a table is to build it anew, and dropping the old one would cascade."""
        return writing(self._path, foreign_keys=False)

    def check_integrity(self, connection: Connection) -> None:
        """See `inkling.memory.database.check_integrity`."""
        check_integrity(connection, self._path)

    def check_schema(self, connection: Connection, *, revision: str | None = None) -> None:
        """See `inkling.memory.schema_check.foreign_parts`."""
        if parts := foreign_parts(connection, revision=revision):
            raise foreign(self, parts)

    def following(self) -> Following:
        """See `inkling.memory.database.KeptFile`."""
        return KeptFile(self._path)

    @contextmanager
    def copy_to_alter(self, connection: Connection) -> Iterator[Connection]:
        """A copy in main memory."""
        original = connection.connection.driver_connection
        assert isinstance(original, sqlite3.Connection)
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            copy.execute(f"PRAGMA page_size = {original.execute('PRAGMA page_size').fetchone()[0]}")
            original.backup(copy)
            with transaction(copy, begin="BEGIN") as altered:
                yield altered
