"""The log: what was done to the memory, in order, and how far back it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select

from inkling.memory import schema
from inkling.memory.columns import json_text
from inkling.memory.digest import digest_text, state_digest
from inkling.memory.journal import Change, change_of, change_row
from inkling.memory.opened import seeing
from inkling.memory.rows import Rows
from inkling.provenance import now

KEPT_BYTES = 128 * 2**20
"""What the inverses of all events may take up together; the latest is kept whatever it takes."""

CHANGE_BYTES = 64
"""What a change takes beside what its row held before."""

UNDO, OBSERVE, DISCOVER = "undo", "observe", "discover"
AUTOMATIC = frozenset({OBSERVE, DISCOVER})
"""Verbs that no person decided: `undo` passes over them as long as they don't stand in its way."""


@dataclass(frozen=True)
class Event:
    """Something that was done to the memory.

    Attributes
    ----------
    id
        Its number; they only grow.
    version
        The memory version that it made.
    time
        In UTC, ISO 8601.
    verb, arguments
        What was done, and with what.
    outcome
        What came of it.
    undoes
        The event that this one took back.
    digest
        Digest of all that the memory held afterwards.

    Examples
    --------
    >>> event = Decisions("vehicles.ink").discard(2)
    >>> event.verb, dict(event.arguments)
    ('discard', {'proposal': 2})
    """

    id: int
    version: int
    time: str
    verb: str
    arguments: Mapping[str, Any]
    outcome: Mapping[str, Any] = field(compare=False)
    undoes: int | None
    digest: str


def read_events(connection: Connection) -> tuple[Event, ...]:
    """All events, oldest first."""
    rows = connection.execute(select(schema.event).order_by(schema.event.c.id)).mappings()
    return tuple(_event(dict(row)) for row in rows)


def list_events(path: str | Path) -> tuple[Event, ...]:
    """The log of a memory, oldest first.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        return read_events(connection)


def _event(row: dict[str, Any]) -> Event:
    return Event(**row | {"arguments": json.loads(row["arguments"]), "outcome": json.loads(row["outcome"])})


def latest_digest(connection: Connection) -> int | None:
    """Digest of what the memory holds, by its log; None where nothing was logged yet."""
    table = schema.event
    found = connection.execute(select(table.c.digest).order_by(table.c.id.desc()).limit(1)).scalar()
    return None if found is None else int(found, 16)


def logged_digest(connection: Connection) -> int:
    """As `latest_digest`; worked out where nothing was logged yet."""
    found = latest_digest(connection)
    return state_digest(connection) if found is None else found


@dataclass(frozen=True)
class Done:
    """What is about to be logged.

    Attributes
    ----------
    verb, arguments, outcome, undoes
        As in `Event`.
    """

    verb: str
    arguments: Mapping[str, Any]
    outcome: Mapping[str, Any]
    undoes: int | None = None


def write_event(
    connection: Connection, done: Done, *, version: int, digest: int, changes: Sequence[Change] = ()
) -> Event:
    """Add an event, with how to take it back if it can be."""
    values: dict[str, Any] = {
        "version": version,
        "time": now(),
        "verb": done.verb,
        "undoes": done.undoes,
        "digest": digest_text(digest),
    }
    texts = {
        "arguments": json_text(done.arguments, what="arguments of an event"),
        "outcome": json_text(done.outcome, what="outcome of an event"),
    }
    (number,) = Rows(connection).insert_numbered(schema.event, [values | texts])
    Rows(connection).insert(
        schema.change,
        ({"event_id": number, "position": k, **change_row(change)} for k, change in enumerate(changes)),
    )
    return Event(id=number, arguments=done.arguments, outcome=done.outcome, **values)


def undoable_events(connection: Connection) -> tuple[int, ...]:
    """Events that can be taken back, latest first."""
    events = select(schema.change.c.event_id).distinct().order_by(schema.change.c.event_id.desc())
    return tuple(connection.execute(events).scalars())


def changes_of(connection: Connection, event_id: int) -> tuple[Change, ...]:
    """What an event changed, in the order in which it has to be taken back."""
    table = schema.change
    rows = select(table).where(table.c.event_id == event_id).order_by(table.c.position.desc())
    return tuple(change_of(dict(row)) for row in connection.execute(rows).mappings())


def forget_changes(connection: Connection, *, up_to: int | None = None) -> None:
    """Keep no longer how to take back the events up to this one; without a number, all of them."""
    table = schema.change
    connection.execute(delete(table) if up_to is None else delete(table).where(table.c.event_id <= up_to))


def forget_event(connection: Connection, event_id: int) -> None:
    """Keep no longer how to take this event back."""
    connection.execute(delete(schema.change).where(schema.change.c.event_id == event_id))


def keep_within_limit(connection: Connection) -> None:
    """Let the inverses of old events go, so that the log does not outgrow the memory."""
    table = schema.change
    held_before = func.coalesce(func.length(table.c.blob), 0) + func.coalesce(func.length(table.c.before), 0)
    size = func.sum(held_before + CHANGE_BYTES)
    rows = connection.execute(select(table.c.event_id, size).group_by(table.c.event_id).order_by(table.c.event_id))
    kept = 0
    for number, (event_id, taken) in enumerate(reversed(rows.all())):
        kept += int(taken)
        if number and kept > KEPT_BYTES:
            forget_changes(connection, up_to=event_id)
            return
