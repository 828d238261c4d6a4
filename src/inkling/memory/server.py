"""A memory in a PostgreSQL database: the same tables, for more than one machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    NullPool,
    Row,
    create_engine,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from inkling.errors import MemoryFileError, require
from inkling.memory import schema
from inkling.memory.copies import copy_rows
from inkling.memory.database import BUSY_SECONDS
from inkling.memory.faults import foreign
from inkling.memory.server_schema import foreign_parts, shadowing_parts, standing_parts
from inkling.memory.server_search import follow_writes, name_is_taken
from inkling.redaction import redacted
from inkling.types import Vectors
from inkling.wording import excerpt

T = TypeVar("T")

DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 10
CHANNEL = "inkling"
"""Of notifications of what is written; a database has one memory."""
RECONNECT_SECONDS = 10.0
"""How long a server that was there before is tried again."""


class ServerPlace:
    """A PostgreSQL database.

    Readers have a snapshot. Writers take turns by an advisory lock, which the server lets go with their transaction.

    Parameters
    ----------
    url
        Such as ``postgresql://user@host/database``.

    Raises
    ------
    MissingExtraError
        If the driver is not installed.
    MemoryFileError
        If the URL cannot be understood.
    """

    def __init__(self, url: str) -> None:
        require("psycopg", extra="postgres")
        self._shown = redacted(url)
        try:
            self._url = make_url(url)
        except (ArgumentError, ValueError):
            # What they say quotes the URL with its password, so it may not stand in the chain of causes.
            raise MemoryFileError(
                f"'{self._shown}' is no URL of a database.", remedy="Write it as postgresql://USER@HOST/DATABASE."
            ) from None
        if "@" in (self._url.host or ""):
            # The server's message would quote the rest of the password as the name of a host.
            raise MemoryFileError(
                f"The URL {self._shown} has more than one '@'.", remedy="Write an '@' within user or password as %40."
            )
        if not _names_database(self._url):
            raise MemoryFileError(
                f"The URL {self._shown} names no database.",
                remedy="Write it as postgresql://USER@HOST/DATABASE, or set PGDATABASE or PGSERVICE.",
            )

    def __str__(self) -> str:
        return self._shown

    def exists(self) -> bool:
        """Whether the database holds a memory."""
        with self.explained(), self._engine().connect() as connection:
            return _holds_memory(connection)

    def require_memory(self) -> None:
        """Refuse a database without a memory."""
        if not self.exists():
            raise MemoryFileError(
                f"There is no memory at {self}.",
                remedy="Make one with: inkling fit IMAGES --memory URL, in Python with fit and save.",
            )

    def require_writable(self) -> None:
        """The server tells when something is written."""

    def require_room(self) -> None:
        """Refuse a database that holds something and no memory."""
        with self.explained(), self._engine().connect() as connection:
            if not _holds_memory(connection):
                self._require_room(connection)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors of the server into `MemoryFileError`."""
        try:
            yield
        except DBAPIError as error:
            told = str(error.orig).strip().partition("\n")[0]
            raise MemoryFileError(
                f"Nothing was written to {self}: the server says '{told}'.",
                remedy="Check the URL, the server and your rights there, then run the command again.",
            ) from error

    def create(self, fill: Callable[[Connection], T], *, vectors: Vectors) -> T:  # noqa: ARG002 - the interface's
        """Make the tables and fill them, in one transaction."""
        with self._turn() as connection:
            self._require_room(connection)
            return fill(connection)

    def create_copy(self, original: Connection) -> None:
        """Make the tables and fill them, in one transaction."""
        with self._turn() as connection:
            self._require_room(connection)
            copy_rows(original, connection)

    def _require_room(self, connection: Connection) -> None:
        if _holds_memory(connection):
            raise FileExistsError(str(self))
        if name_is_taken(connection):
            raise MemoryFileError(
                f"At {self}, pgvector stands where the memory's tables would; its type and a table are both 'vector'.",
                remedy="Run there: CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions",
            )
        if parts := standing_parts(connection):
            raise MemoryFileError(
                f"The database {self} is not empty: it has {excerpt(', '.join(parts))}. Nothing was written.",
                remedy="Give the memory a database of its own, made with: createdb NAME",
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One read transaction with a snapshot of one version."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engine(**options).begin() as connection:
            if parts := shadowing_parts(connection):
                raise foreign(self, parts)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that may write. Nothing is written where anything but the schema would take part."""
        with self._turn() as connection:
            self.check_schema(connection)
            yield connection
            follow_writes(connection)
            connection.execute(select(func.pg_notify(CHANNEL, "")))  # those that follow hear it when this is committed

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction of its own."""
        with self._engine(isolation_level="AUTOCOMMIT").connect() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[Connection]:
        """One transaction that may write, after other writers, for whom it waits up to a minute."""
        with self._engine().connect() as connection, connection.begin() as transaction:
            connection.execute(text(f"SET LOCAL lock_timeout = '{int(BUSY_SECONDS)}s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({schema.APPLICATION_ID})"))
            number = int(connection.execute(text("SELECT txid_current()")).scalar_one())
            yield connection
            try:
                transaction.commit()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                self._require_committed(number, error)

    def _require_committed(self, number: int, error: DBAPIError) -> None:
        """Find out what became of a transaction whose connection broke while it was being committed.

        Raises
        ------
        DBAPIError
            The error, if it was not committed.
        MemoryFileError
            If nobody can say.
        """
        end = time.monotonic() + RECONNECT_SECONDS
        while time.monotonic() < end:
            status = None
            with suppress(DBAPIError), self.apart() as connection:
                status = connection.execute(text("SELECT txid_status(:number)"), {"number": number}).scalar()
            if status == "committed":
                return
            if status == "aborted":
                raise error
            time.sleep(RECONNECT_SECONDS / 50)
        raise MemoryFileError(
            f"The connection to {self} broke while a change was being committed, and it is not known whether it was.",
            remedy="Look with: inkling history URL, in Python with events(memory), before you repeat it.",
        ) from error

    def altering(self) -> AbstractContextManager[Connection]:
        """As for writing."""
        return self._turn()

    def check_integrity(self, connection: Connection) -> None:
        """The server does that itself."""

    def check_schema(self, connection: Connection, *, revision: str | None = None) -> None:
        """See `inkling.memory.server_schema.foreign_parts`."""
        if parts := foreign_parts(connection, revision=revision):
            raise foreign(self, parts)

    def copy_to_alter(self, connection: Connection) -> AbstractContextManager[Connection]:  # noqa: ARG002 - interface's
        """There is none: a database is brought forward by the first that writes to it."""
        raise MemoryFileError(
            f"The memory {self} has the schema of an earlier release.",
            remedy="Write to it once with this release, for instance with: inkling refit URL",
        )

    def following(self) -> KeptServer:
        """See `KeptServer`."""
        return KeptServer(self._engine(isolation_level="AUTOCOMMIT"))

    def _engine(self, **options: Any) -> Engine:
        return _engine_of(self._url).execution_options(**options)


@lru_cache(maxsize=16)
def _engine_of(url: URL) -> Engine:
    """Keeps no connection, but what it has found out about the server, and what it has compiled."""
    return create_engine(
        url.set(drivername=DRIVER), poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS}
    )


class KeptServer:
    """Reads a memory again and again, by a connection that is kept. For one thread at a time.

    Parameters
    ----------
    engine
        Connects to the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: Connection | None = None
        self._listens = self._was_there = False

    def state(self) -> tuple[int, ...]:
        """Its version by now."""
        ((version,),) = self.ask(select(schema.memory.c.version))
        return (int(version),)

    def ask(self, query: Executable) -> Sequence[Row[Any]]:
        """Rows of one query. A connection that broke is made anew, for which a server that restarts has some time."""
        end = time.monotonic() + (RECONNECT_SECONDS if self._was_there else 0.0)
        while True:
            try:
                return self._connected().execute(query).all()
            except DBAPIError as error:
                self.close()
                if not isinstance(error, OperationalError) or time.monotonic() >= end:
                    raise
            time.sleep(RECONNECT_SECONDS / 50)

    def wait(self, seconds: float) -> None:
        """Until a writer's notification; none comes through a proxy that shares connections, and time passes then.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            If the connection breaks, or there is none to be had.
        """
        from psycopg import OperationalError as Broken

        connection = self._connected()
        if not self._listens:
            connection.execute(text(f"LISTEN {CHANNEL}"))
            self._listens = True
        driver: Any = connection.connection.driver_connection
        try:
            next(driver.notifies(timeout=seconds, stop_after=1), None)
        except Broken as error:
            self.close()
            raise OperationalError("LISTEN", None, error) from error

    def _connected(self) -> Connection:
        if self._kept is None:
            self._kept = self._engine.connect()
            self._was_there = True
        return self._kept

    def close(self) -> None:
        """Let the database go."""
        kept, self._kept, self._listens = self._kept, None, False
        if kept is not None:
            kept.close()


def _names_database(url: URL) -> bool:
    """Whether the URL or the user's environment does; else the server would take the one that is called as the user."""
    return bool(
        url.database
        or {"dbname", "service"} & url.query.keys()
        or any(os.environ.get(name) for name in ("PGDATABASE", "PGSERVICE"))
    )


def _holds_memory(connection: Connection) -> bool:
    """Both tables: another program may well have one that is called 'memory', or one of Alembic's."""
    names = (schema.memory.name, schema.alembic_version.name)
    return all(inspect(connection).has_table(name) for name in names)
