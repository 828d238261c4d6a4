"""Take back what was done last: every row is again what it was, to the last bit.

A decision is taken back alone, whatever was observed and discovered after it, as long as nothing that came after it
rests on it. Where something does, such as a proposal of images that a removed class gave back, that is taken back
first. So the memory never holds what no sequence of decisions could have made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from inkling.errors import ConflictError, InklingError, MemoryFileError
from inkling.memory import schema
from inkling.memory.amend import Amendment, begin, finish
from inkling.memory.digest import MODULUS, state_digest
from inkling.memory.discovered import OPEN, WAITING
from inkling.memory.events import (
    AUTOMATIC,
    OBSERVE,
    UNDO,
    Done,
    Event,
    changes_of,
    forget_event,
    logged_digest,
    read_events,
    undoable_events,
)
from inkling.memory.faults import damaged
from inkling.memory.journal import ChangedSinceError
from inkling.memory.opened import changing
from inkling.memory.place import place_of
from inkling.memory.write import repeat_provenance


class _RestsOnItError(Exception):
    """Something that came later rests on an event, so it cannot be taken back alone."""


def undo(path: str | Path, *, event: int | None = None, arguments: Mapping[str, Any] | None = None) -> Event:
    """Take back the latest decision; with no decision left, the latest observation or discovery.

    Parameters
    ----------
    event
        Number of the event that is meant; None for whichever is the latest.
    arguments
        For the log.

    Raises
    ------
    ConflictError
        If there is nothing to take back, something that cannot be taken back rests on it, or another event than the
        one that is meant is the latest.
    MemoryFileError
        If its rows or those kept for it are damaged; nothing has changed then.
    """
    with changing(path) as connection:
        digest = logged_digest(connection)
        memory = begin(connection)
        latest, later = _latest(connection)
        if event not in (None, latest.id):
            raise ConflictError(
                f"Event {event} is not what would be taken back: that is event {latest.id} ('{latest.verb}').",
                remedy="Somebody has decided or taken back meanwhile; look at the history.",
            )
        also = _take_back(memory, latest, later)
        if not _is_as_logged(memory, [latest, *also]):
            raise damaged(
                place_of(path), f"what its log keeps to take event {latest.id} back is not what was there before"
            )
        for done in (latest, *also):
            forget_event(connection, done.id)
        repeat_provenance(connection, before=latest.version, version=memory.version)
        outcome: dict[str, Any] = {"undone": latest.verb, "arguments": dict(latest.arguments)}
        if also:
            outcome["with"] = [done.verb for done in also]
        if latest.verb in AUTOMATIC and (same_run := _observed_before(connection, latest)):
            outcome["observed_before"] = same_run
        return finish(memory, Done(UNDO, arguments or {}, outcome, latest.id), digest=digest, reversible=False)


def _is_as_logged(memory: Amendment, taken_back: Sequence[Event]) -> bool:
    """Whether what was taken back changes the digest as the log says; a first event has none before it."""
    ids = {event.id for event in taken_back}
    pairs = pairwise(read_events(memory.connection))
    known = {after.id: int(before.digest, 16) - int(after.digest, 16) for before, after in pairs}
    return not ids <= known.keys() or (memory.rows.delta - sum(known[number] for number in ids)) % MODULUS == 0


def _latest(connection: Connection) -> tuple[Event, list[Event]]:
    """The event to take back, and those after it, latest first."""
    events = {event.id: event for event in read_events(connection)}
    undoable = [events[number] for number in undoable_events(connection)]
    if not undoable:
        raise ConflictError(
            "There is nothing to undo.",
            remedy="A fit cannot be taken back, and of old decisions only the log is kept; see its history.",
        )
    decision = next((event for event in undoable if event.verb not in AUTOMATIC), undoable[0])
    return decision, [event for event in undoable if event.id > decision.id]


def _observed_before(connection: Connection, event: Event) -> int:
    """Observations directly before one that was taken back, or before a discovery: of the same run, as a rule."""
    verbs = {one.id: one.verb for one in read_events(connection)}
    before = [number for number in undoable_events(connection) if number < event.id]
    return len(list(takewhile(lambda number: verbs[number] == OBSERVE, before)))


def _take_back(memory: Amendment, event: Event, later: Sequence[Event]) -> list[Event]:
    """Take an event back, and of the later ones as few as stand in its way, the latest first."""
    number = 0
    while True:
        try:
            with memory.rows.attempt():
                _alone(memory, event)
            return list(later[:number])
        except (ChangedSinceError, _RestsOnItError) as error:
            if number == len(later):
                raise _refused(memory, event, error) from error
        try:
            for change in changes_of(memory.connection, later[number].id):
                memory.rows.take_back(change)
        except ChangedSinceError as error:
            raise _refused(memory, event, error) from error
        number += 1


def _refused(memory: Amendment, event: Event, error: Exception) -> InklingError:
    """What came later, if the memory was as its log says until now."""
    before = (state_digest(memory.connection) - memory.rows.delta) % MODULUS
    if before != logged_digest(memory.connection):
        return MemoryFileError(
            f"Event {event.id} ('{event.verb}') cannot be taken back: {error} is not as it was left. The memory does "
            "not hold what its log says: it is damaged, or was changed by something else than Inkling.",
            remedy="Check it with inkling verify, in Python verify(memory).",
        )
    return ConflictError(
        f"Event {event.id} ('{event.verb}') cannot be taken back: {error} was changed since.",
        remedy="Its history ('inkling history') has what came after it.",
    )


def _alone(memory: Amendment, event: Event) -> None:
    """Take one event back, and nothing else."""
    before, n_before = _contradictions(memory.connection), len(memory.rows.changes)
    changes = changes_of(memory.connection, event.id)
    for change in changes:
        memory.rows.take_back(change)
    if len(memory.rows.changes) - n_before != len(changes):
        raise _RestsOnItError("a row that rests on it")
    if new := _contradictions(memory.connection) - before:
        raise _RestsOnItError(f"pooled image {min(new)}")


def _contradictions(connection: Connection) -> set[int]:
    """Pooled images of open proposals that do not wait, or are in two of them."""
    member, proposal, pooled = schema.proposal_member, schema.proposal, schema.pooled
    query = (
        select(member.c.pooled_id)
        .join(proposal, (proposal.c.id == member.c.proposal_id) & (proposal.c.state == OPEN))
        .join(pooled, pooled.c.id == member.c.pooled_id)
        .group_by(member.c.pooled_id)
        .having((func.count() > 1) | (func.max(pooled.c.state) != WAITING) | (func.min(pooled.c.state) != WAITING))
    )
    return set(connection.execute(query).scalars())
