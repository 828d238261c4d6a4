"""A copy of a memory of one moment, while others use it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, insert, select, text

from inkling.errors import MemoryFileError
from inkling.memory import schema
from inkling.memory.database import creating
from inkling.memory.faults import explained
from inkling.memory.file import appearing, require_writable
from inkling.memory.opened import seeing
from inkling.memory.place import place_of
from inkling.memory.read import version_of
from inkling.memory.rows import CHUNK_ROWS


def backup(path: str | Path, target: str | Path) -> int:
    """Copy a memory as it is at this moment; writers and readers go on. The copy appears whole or not at all.

    Parameters
    ----------
    path
        The memory.
    target
        A new file.

    Returns
    -------
    int
        The version that was copied.

    Raises
    ------
    MemoryFileError
        If the memory cannot be read, or there is something at the target.
    """
    target = Path(target).resolve()
    with seeing(path, whole=True) as connection, explained(target):
        place_of(path).check_schema(connection)
        _require_free(target)
        require_writable(target)
        try:
            with appearing(target) as partial:
                copied(connection, partial)
        except FileExistsError:
            _require_free(target)
        return version_of(connection)


def copied(connection: Connection, target: Path) -> None:
    """Write all that a read transaction sees to a new SQLite file."""
    original = connection.connection.driver_connection
    if isinstance(original, sqlite3.Connection):
        with closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
        return
    with creating(target) as copied_to:
        schema.metadata.create_all(copied_to)
        for table in schema.metadata.sorted_tables:
            _copy_rows(connection, copied_to, table)


def _copy_rows(source: Connection, target: Connection, table: Table) -> None:
    for chunk in source.execute(select(table)).mappings().partitions(CHUNK_ROWS):
        target.execute(insert(table), [dict(row) for row in chunk])
    if table.dialect_options["sqlite"]["autoincrement"]:
        _keep_numbers(source, target, table)


def _keep_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Numbers that were given to rows that are gone are not given again in the copy either."""
    given = source.execute(text(f'SELECT last_value, is_called FROM "{table.name}_id_seq"')).one()
    if given.is_called:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        numbered = {"name": table.name, "last": given.last_value}
        target.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), numbered)


def _require_free(target: Path) -> None:
    if target.exists():
        raise MemoryFileError(
            f"There is something at {target} already.", remedy="A backup replaces nothing; name another file."
        )
