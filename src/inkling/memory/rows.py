"""Rows written within a transaction that the caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, update

CHUNK_ROWS = 4096

Row = Mapping[str, Any]
Key = tuple[Any, ...]


class Rows:
    """Writes rows and keeps no account of it; `Journal` does.

    Parameters
    ----------
    connection
        Within a transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """New rows, in chunks, so that neither the rows nor their bytes are all held twice."""
        rows = iter(rows)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            self.connection.execute(insert(table), chunk)

    def insert_numbered(self, table: Table, rows: Sequence[Row]) -> list[int]:
        """New rows of a numbered table; returns their numbers, which were never given before."""
        if not rows:
            return []
        (number,) = table.primary_key
        numbered = insert(table).returning(number, sort_by_parameter_order=True)
        return [int(found) for found in self.connection.execute(numbered, rows).scalars()]

    def update(self, table: Table, key: Key, values: Row) -> None:
        """Other values for the row with this primary key."""
        self.connection.execute(update(table).where(keyed(table, key)).values(values))

    def delete(self, table: Table, condition: ColumnElement[bool] | None = None) -> None:
        """Take rows out, and with them the rows that are theirs; all of them without a condition."""
        statement = delete(table)
        self.connection.execute(statement if condition is None else statement.where(condition))


def keyed(table: Table, key: Key) -> ColumnElement[bool]:
    """The row with this primary key."""
    return and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))
