"""Change a memory by one event: one transaction that reads, writes, and logs its inverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from inkling.memory.events import Done, Event, keep_within_limit, logged_digest, write_event
from inkling.memory.journal import Journal
from inkling.memory.opened import changing
from inkling.memory.read import read_encoder, version_of
from inkling.memory.write import next_version
from inkling.types import EncoderIdentity

Outcome = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Amendment:
    """A memory in the middle of a change: nobody else sees it yet, and nobody else can write.

    Attributes
    ----------
    rows
        Writes rows and keeps account of it.
    version
        The version that is being made.
    space_id, encoder
        The space in use, and its encoder.
    """

    rows: Journal
    version: int
    space_id: int
    encoder: EncoderIdentity

    @property
    def connection(self) -> Connection:
        """For reading."""
        return self.rows.connection


def amend(
    path: str | Path,
    verb: str,
    arguments: Mapping[str, Any],
    change: Callable[[Amendment], Outcome],
    *,
    version: int | None = None,
) -> Event:
    """Change a memory in one transaction and log it, with how to take it back.

    Parameters
    ----------
    path
        An existing memory.
    verb, arguments
        What is done, for the log.
    change
        Does it, and says what came of it. If it raises, nothing has changed.
    version
        The version that the change was prepared from; None where it reads all that it needs itself.

    Raises
    ------
    MemoryFileError
        If there is no memory, it cannot be written, or it has another version than `version`.
    """
    with changing(path, version=version) as connection:
        digest = logged_digest(connection)
        memory = begin(connection)
        outcome = change(memory)
        return finish(memory, Done(verb, arguments, outcome), digest=digest)


def amend_if_needed(
    path: str | Path,
    verb: str,
    arguments: Mapping[str, Any],
    change: Callable[[Amendment], Outcome],
    *,
    version: int | None = None,
) -> Event | None:
    """As `amend`, but where no row was changed, nothing is logged, the version stays, and None comes back."""
    with changing(path, version=version) as connection:
        digest = logged_digest(connection)
        memory = begin(connection)
        outcome = change(memory)
        return finish(memory, Done(verb, arguments, outcome), digest=digest) if memory.rows.changes else None


def begin(connection: Connection) -> Amendment:
    """The memory as it is, to be changed."""
    space_id, encoder = read_encoder(connection)
    return Amendment(Journal(connection), version_of(connection) + 1, space_id, encoder)


def finish(memory: Amendment, done: Done, *, digest: int, reversible: bool = True) -> Event:
    """Increment the version and log what was done; where it is `reversible`, with how to take it back."""
    version = next_version(memory.connection)
    changes = memory.rows.changes if reversible else ()
    event = write_event(memory.connection, done, version=version, digest=digest + memory.rows.delta, changes=changes)
    keep_within_limit(memory.connection)
    return event
