"""Check a memory against its log: does it hold what the log says, and do the logged changes lead there?"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, select

from inkling.memory import schema
from inkling.memory.columns import blob_arrays
from inkling.memory.copies import copy_file
from inkling.memory.database import writing
from inkling.memory.digest import MODULUS, state_digest
from inkling.memory.events import Event, changes_of, read_events, undoable_events
from inkling.memory.faults import damaged
from inkling.memory.journal import Change, ChangedSinceError, Journal
from inkling.memory.opened import seeing
from inkling.memory.place import Place, place_of
from inkling.memory.read import read_content, version_of
from inkling.outputs import draft_beside
from inkling.wording import excerpt


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
    # Whoever is killed leaves a copy in the folder for such files; the next one there takes it away.
    with draft_beside(Path(tempfile.gettempdir()) / "copy.ink") as copy:
        with seeing(path, whole=True) as connection:
            place.check_schema(connection)
            copy_file(connection, copy)
        with writing(copy) as connection:
            found = _verified(connection, place)
    return found


def _verified(connection: Connection, place: Place) -> Verification:
    _check_content(connection, place)
    _check_numbers(connection, place)
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


def _check_content(connection: Connection, place: Place) -> None:
    """Decode all that stands in rows as bytes or JSON. No digest accounts for what is derived."""
    try:
        read_content(connection, thumbnails=False)
        for table in (schema.statistics, schema.stream):
            for blob in connection.execute(select(table.c.arrays)).scalars():
                if not all(np.isfinite(array).all() for array in blob_arrays(blob).values()):
                    raise ValueError(f"table {table.name!r} holds numbers that are not finite")
        for state in connection.execute(select(schema.stream.c.state)).scalars():
            json.loads(state)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise damaged(place, excerpt(error)) from error


def _check_numbers(connection: Connection, place: Place) -> None:
    """Whether a new row would get a number that no row has, or has had as far as the log tells."""
    rows = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all()
    given = {row.name: row.seq for row in rows}
    if len(given) != len(rows) or not all(isinstance(number, int) for number in given.values()):
        raise damaged(place, "the numbers that it gives to new rows are not as SQLite keeps them")
    logged = _logged_numbers(connection)
    for table in schema.metadata.sorted_tables:
        if table.dialect_options["sqlite"]["autoincrement"]:
            highest = connection.execute(select(func.max(table.c.id))).scalar() or 0
            if given.get(table.name, 0) < max(highest, logged.get(table.name, 0)):
                raise damaged(place, f"it would give a number of table {table.name!r} a second time")


def _logged_numbers(connection: Connection) -> dict[str, int]:
    """The highest number of a row in each table that the log accounts for."""
    highest: dict[str, int] = {}
    changed = schema.change
    for table, key in connection.execute(select(changed.c.row_table, changed.c.row_key)):
        number, *others = json.loads(key)
        if not others and isinstance(number, int):
            highest[table] = max(highest.get(table, 0), number)
    return highest


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
