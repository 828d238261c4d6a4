"""All that a database holds of a memory, written into another: rows, and the counters that number new ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text

from inkling.memory import schema
from inkling.memory.database import creating
from inkling.memory.rows import CHUNK_ROWS, Rows


def copy_file(connection: Connection, target: Path) -> None:
    """Write all that a read transaction sees to a new SQLite file."""
    original = connection.connection.driver_connection
    if isinstance(original, sqlite3.Connection) and _is_file(original):
        with closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
        return
    with creating(target) as copied_to:
        copy_rows(connection, copied_to)


def _is_file(database: sqlite3.Connection) -> bool:
    """Not so a memory of an earlier release, which is altered in main memory: SQLite would wait for that for ever."""
    return bool(database.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0])


def copy_rows(source: Connection, target: Connection) -> None:
    """Make the tables in an empty database and fill them with all rows, a chunk at a time.

    Parameters
    ----------
    source
        Within a read transaction on a memory of the newest schema.
    target
        Within a transaction on a database without a memory.
    """
    schema.metadata.create_all(target, checkfirst=False)
    for table in schema.metadata.sorted_tables:
        _copy_table(source, target, table)
        if table.dialect_options["sqlite"]["autoincrement"]:
            _set_counter(target, table, _counter(source, table))


def count_rows(connection: Connection) -> int:
    """Rows of all tables."""
    tables = schema.metadata.sorted_tables
    return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def _copy_table(source: Connection, target: Connection, table: Table) -> None:
    """Rows may point to later ones of the same table, so those references come after all rows."""
    (key, *_) = table.primary_key
    own = [column.name for column in table.columns for link in column.foreign_keys if link.column.table is table]
    rows = source.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=CHUNK_ROWS))
    links = []
    for chunk in rows.mappings().partitions():
        copied = [dict(row) for row in chunk]
        for row in copied:
            references = {name: row[name] for name in own if row[name] is not None}
            if references:
                links.append(((row[key.name],), references))
                row.update(dict.fromkeys(references))
        target.execute(insert(table), copied)
    for number, references in links:
        Rows(target).update(table, number, references)


def _counter(connection: Connection, table: Table) -> int:
    """The highest number that the table ever gave to a row, rows that are gone included; 0 for none."""
    if connection.dialect.name == "sqlite":
        given = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        return int(given.scalar() or 0)
    last = connection.execute(text(f'SELECT last_value, is_called FROM "{table.name}_id_seq"')).one()
    return int(last.last_value) if last.is_called else 0


def _set_counter(connection: Connection, table: Table, number: int) -> None:
    """Numbers that were given to rows that are gone are not given again in the copy either."""
    if not number:
        return
    named = {"name": table.name, "number": number}
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), named)
    else:
        connection.execute(
            text("SELECT setval(CAST(:name AS regclass), :number)"), named | {"name": f'"{table.name}_id_seq"'}
        )
