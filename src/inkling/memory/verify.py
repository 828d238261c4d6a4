"""Hold a memory against its log: does it hold what the log says, and do the logged changes lead there?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection

from inkling.memory.backup import copied
from inkling.memory.database import writing
from inkling.memory.digest import MODULUS, state_digest
from inkling.memory.events import Event, changes_of, read_events, undoable_events
from inkling.memory.faults import damaged
from inkling.memory.journal import Change, ChangedSinceError, Journal
from inkling.memory.opened import seeing
from inkling.memory.place import Place, place_of
from inkling.memory.read import version_of


@dataclass(frozen=True)
class Verification:
    """What was checked and found right.

    Attributes
    ----------
    version
        Of the memory.
    events
        In the log.
    replayed
        Events that were taken back and done again, the latest first.
    """

    version: int
    events: int
    replayed: tuple[int, ...]


def verify(path: str | Path) -> Verification:
    """Check every page and every row, take all events back that can be, and do them again, on a copy.

    What the memory holds must have the digest of the latest event. Taken back one by one from there, the events must
    change it as the log says, down to the last checkpoint; what is held there is digested anew, row by row; and done
    again, they must lead to the memory as it is.

    Raises
    ------
    MemoryFileError
        If something does not agree.
    """
    place = place_of(path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.ink"
        with seeing(path, whole=True) as connection:
            place.check_schema(connection)
            copied(connection, copy)
        with writing(copy) as connection:
            found = _verified(connection, place)
    return found


def _verified(connection: Connection, place: Place) -> Verification:
    events = read_events(connection)
    _check_order(events, version_of(connection), place)
    digest = state_digest(connection)
    if events and digest != int(events[-1].digest, 16):
        raise damaged(place, f"it does not hold what its log says that it held after event {events[-1].id}")
    journals = _taken_back(connection, events, place)
    before = state_digest(connection)
    if before != (digest + sum(journal.delta for journal in journals.values())) % MODULUS:
        raise damaged(place, "its changes taken back do not lead to what they began from")
    for journal in reversed(journals.values()):
        _done_again(connection, journal.changes)
    if state_digest(connection) != digest:
        raise damaged(place, "its changes done again do not lead to what it holds")
    return Verification(version_of(connection), len(events), tuple(journals))


def _check_order(events: Sequence[Event], version: int, place: Place) -> None:
    versions = [event.version for event in events]
    if versions != sorted(set(versions)) or (versions and versions[-1] != version):
        raise damaged(place, f"its log does not lead to version {version}")


def _taken_back(connection: Connection, events: Sequence[Event], place: Place) -> dict[int, Journal]:
    """Journals of the events taken back, latest first.

    Ends at an event whose rows something that is not taken back has changed since, such as a later discovery.
    """
    before = {event.id: int(earlier.digest, 16) for earlier, event in pairwise(events)}
    after = {event.id: int(event.digest, 16) for event in events}
    journals: dict[int, Journal] = {}
    undoable = undoable_events(connection)
    for event_id in undoable:
        journal = _alone(connection, event_id)
        if journal is None and {event.id for event in events if event.id > event_id} <= set(undoable):
            raise damaged(place, f"the rows that event {event_id} changed are not as it left them")
        if journal is None:
            break
        if event_id in before and journal.delta % MODULUS != (before[event_id] - after[event_id]) % MODULUS:
            raise damaged(place, f"event {event_id} did not change what its log says")
        journals[event_id] = journal
    return journals


def _alone(connection: Connection, event_id: int) -> Journal | None:
    """Take an event back; None, and all as it was, if more would change than the event did."""
    changes, journal = changes_of(connection, event_id), Journal(connection)
    try:
        for change in changes:
            journal.take_back(change)
    except ChangedSinceError:
        _done_again(connection, journal.changes)
        return None
    if len(journal.changes) != len(changes):
        _done_again(connection, journal.changes)
        return None
    return journal


def _done_again(connection: Connection, changes: Sequence[Change]) -> None:
    journal = Journal(connection)
    for change in reversed(changes):
        journal.take_back(change)
