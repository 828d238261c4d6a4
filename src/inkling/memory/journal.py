"""Rows written with an account of what they were before: the inverse of an event.

A change keeps what the row held before, and the hash of what it holds afterwards. What it holds afterwards needs no
keeping: it is in the memory, or in the account of the event that changed it next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, insert, select, true, update

from inkling.memory import schema
from inkling.memory.digest import NOT_HELD, digest_text, row_hash, shape_of
from inkling.memory.rows import Key, Row, Rows, keyed


@dataclass(frozen=True, eq=False)
class Change:
    """What became of one row.

    Attributes
    ----------
    before
        What the changed columns held; None for a new row.
    after
        Hash of the row afterwards; None for a row that was taken out.
    """

    table: Table
    key: Key
    before: Row | None
    after: int | None


class ChangedSinceError(Exception):
    """A row is not as the event left it, so the event cannot be taken back alone."""

    def __init__(self, change: Change) -> None:
        super().__init__(f"row {list(change.key)} of table {change.table.name!r}")


class Journal(Rows):
    """Writes rows, and remembers how to take it back.

    Attributes
    ----------
    changes
        In the order in which they were made.
    delta
        What they add to the digest of the memory.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.changes: list[Change] = []
        self.delta = 0

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """New rows that bring their whole primary key."""

        def noted() -> Iterable[Row]:
            for row in rows:
                self._note(table, None, row)
                yield row

        super().insert(table, noted())

    def insert_numbered(self, table: Table, rows: Sequence[Row]) -> list[int]:
        """New rows of a numbered table."""
        numbers = super().insert_numbered(table, rows)
        (number,) = table.primary_key
        for found, row in zip(numbers, rows, strict=True):
            self._note(table, None, {**row, number.name: found})
        return numbers

    def update(self, table: Table, key: Key, values: Row) -> None:
        """Other values for a row that exists."""
        before = row_of(self.connection, table, key)
        assert before is not None, f"{table.name} has no row {key}"
        changed = {name: value for name, value in values.items() if before[name] != value}
        if changed:
            super().update(table, key, changed)
            self._note(table, before, {**before, **changed})

    def delete(self, table: Table, condition: ColumnElement[bool] | None = None) -> None:
        """Take rows out; those that are theirs first, so that each is accounted for."""
        found = select(table).where(true() if condition is None else condition)
        rows = self.connection.execute(found).mappings().all()
        if not rows:
            return
        for child, column in owned_by(table):
            for row in rows:
                self.delete(child, column == row[next(iter(table.primary_key)).name])
        for row in rows:
            self._note(table, dict(row), None)
        super().delete(table, condition)

    def take_back(self, change: Change) -> None:
        """Make a row again what it was before a change, and account for that too.

        Raises
        ------
        ChangedSinceError
            If it is not as the change left it.
        """
        now = row_of(self.connection, change.table, change.key)
        found = None if now is None else row_hash(change.table, now)
        if found != change.after or (now is None and change.before is None):
            raise ChangedSinceError(change)
        if change.before is None:
            # What came to be its own since goes with it, such as images observed in a space that is taken back.
            self.delete(change.table, keyed(change.table, change.key))
        elif now is None:
            self.connection.execute(insert(change.table).values(dict(change.before)))
            self._note(change.table, None, change.before)
        else:
            self.connection.execute(
                update(change.table).where(keyed(change.table, change.key)).values(dict(change.before))
            )
            self._note(change.table, now, {**now, **change.before})

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back all that is written within, rows and account alike, if it raises."""
        n_changes, delta = len(self.changes), self.delta
        savepoint = self.connection.begin_nested()
        try:
            yield
        except Exception:
            savepoint.rollback()
            del self.changes[n_changes:]
            self.delta = delta
            raise
        savepoint.commit()

    def _note(self, table: Table, before: Row | None, after: Row | None) -> None:
        was = None if before is None else row_hash(table, before)
        now = None if after is None else row_hash(table, after)
        self.delta += (now or 0) - (was or 0)
        row = after if before is None else before
        assert row is not None
        key = tuple(row[column.name] for column in table.primary_key)
        kept = before if before is None or after is None else _difference(before, after)
        self.changes.append(Change(table, key, kept, now))


def row_of(connection: Connection, table: Table, key: Key) -> Row | None:
    """A row by its primary key."""
    row = connection.execute(select(table).where(keyed(table, key))).mappings().one_or_none()
    return None if row is None else dict(row)


def owned_by(table: Table) -> list[tuple[Table, ColumnElement[Any]]]:
    """Tables whose rows go with a row of this one, and their columns that name it."""
    return [
        (child, key.parent)
        for child in schema.metadata.sorted_tables
        if child.name not in NOT_HELD
        for key in child.foreign_keys
        if key.column.table is table and key.ondelete == "CASCADE"
    ]


def change_row(change: Change) -> Row:
    """A change as the log keeps it; of a row's bytes, `before` says only whether they changed."""
    blob = shape_of(change.table).blob
    told = None if change.before is None else dict(change.before)
    kept = None
    if told is not None and blob is not None and blob.name in told:
        kept = told[blob.name]
        told[blob.name] = kept is not None
    return {
        "row_table": change.table.name,
        "row_key": json.dumps(change.key),
        "before": None if told is None else json.dumps(told),
        "blob": kept,
        "after": None if change.after is None else digest_text(change.after),
    }


def change_of(row: Mapping[str, Any]) -> Change:
    """Inverse of `change_row`."""
    table = schema.metadata.tables[row["row_table"]]
    blob = shape_of(table).blob
    before = None if row["before"] is None else json.loads(row["before"])
    if before is not None and blob is not None and blob.name in before:
        before[blob.name] = row["blob"]
    after = None if row["after"] is None else int(row["after"], 16)
    return Change(table, tuple(json.loads(row["row_key"])), before, after)


def _difference(before: Row, after: Row) -> Row:
    return {name: value for name, value in before.items() if value != after[name]}
