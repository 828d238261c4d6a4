"""Change a memory by one event: one transaction that reads, writes, and logs its inverse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from inkling.errors import InputError
from inkling.memory.events import (
    UNDO,
    Event,
    changes_of,
    forget_event,
    keep_within_limit,
    logged_digest,
    read_events,
    undoable_events,
    write_event,
)
from inkling.memory.journal import ChangedSinceError, Journal
from inkling.memory.opened import changing
from inkling.memory.read import read_encoder, version_of
from inkling.memory.write import count_on, repeat_provenance
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
    reversible: bool = True,
    version: int | None = None,
) -> Event:
    """Change a memory in one transaction and log it.

    Parameters
    ----------
    path
        An existing memory.
    verb, arguments
        What is done, for the log.
    change
        Does it, and says what came of it. If it raises, nothing has changed.
    reversible
        Keep how to take it back.
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
        return finish(memory, verb, arguments, outcome, digest=digest, reversible=reversible)


def begin(connection: Connection) -> Amendment:
    """The memory as it is, to be changed."""
    space_id, encoder = read_encoder(connection)
    return Amendment(Journal(connection), version_of(connection) + 1, space_id, encoder)


def finish(
    memory: Amendment,
    verb: str,
    arguments: Mapping[str, Any],
    outcome: Outcome,
    *,
    digest: int,
    reversible: bool = True,
    undoes: int | None = None,
) -> Event:
    """Count the version on and log what was done."""
    version = count_on(memory.connection)
    event = write_event(
        memory.connection,
        verb,
        arguments,
        version=version,
        outcome=outcome,
        digest=digest + memory.rows.delta,
        changes=memory.rows.changes if reversible else (),
        undoes=undoes,
    )
    keep_within_limit(memory.connection)
    return event


def undo(path: str | Path) -> Event:
    """Take back the latest event that was not taken back: every row is again what it was, to the last bit.

    Raises
    ------
    InputError
        If there is none, or something else has changed the same rows since.
    """
    with changing(path) as connection:
        digest = logged_digest(connection)
        memory = begin(connection)
        event = _latest(connection)
        try:
            for change in changes_of(connection, event.id):
                memory.rows.take_back(change)
        except ChangedSinceError as error:
            raise InputError(
                f"Event {event.id} ('{event.verb}') cannot be taken back: {error} was changed since.",
                remedy="See 'inkling history' for what came after it.",
            ) from error
        forget_event(connection, event.id)
        repeat_provenance(connection, before=event.version, version=memory.version)
        outcome = {"undone": event.verb, "arguments": dict(event.arguments)}
        return finish(memory, UNDO, {}, outcome, digest=digest, reversible=False, undoes=event.id)


def _latest(connection: Connection) -> Event:
    undoable = undoable_events(connection)
    if not undoable:
        raise InputError(
            "There is nothing to undo.",
            remedy="A fit cannot be taken back, and of old decisions only the log is kept; see 'inkling history'.",
        )
    return next(event for event in read_events(connection) if event.id == undoable[0])
