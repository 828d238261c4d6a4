"""Whether a SQLite file holds the tables of a memory and nothing else.

A file from somebody else may hold triggers, views, generated columns or changed constraints, all of which change what
a statement of ours does. What stands in ``sqlite_schema`` is compared with what the same revision of the schema makes
in an empty database, token by token, so that neither layout nor the order of constraints matters.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from inkling.memory import revisions, schema
from inkling.memory.database import engine_of

Entry = tuple[str, str]
"""Type and name, such as table and exemplar."""

BOOKKEEPING = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat3", "sqlite_stat4"})
"""Tables that SQLite keeps for itself."""

_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|\w+|[^\w\s]", re.DOTALL)
_SCHEMA = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema"
_COLUMNS = """
    SELECT listed.name, listed.type, max(coalesce(held.hidden, 0))
    FROM pragma_table_list AS listed LEFT JOIN pragma_table_xinfo(listed.name) AS held
    WHERE listed.schema = 'main' GROUP BY listed.name, listed.type
"""


def foreign_parts(connection: Connection, *, revision: str | None = None) -> list[str]:
    """What stands in the file and is not of the schema, in words; empty for a memory as it should be.

    Parameters
    ----------
    connection
        Open on the file.
    revision
        Of the schema that the file should have; the newest if None.
    """
    rows = connection.exec_driver_sql(_SCHEMA).all()
    found = {(row.type, row.name): row for row in rows if not _is_bookkeeping(row)}
    created = _created(schema.REVISION)
    is_newest = revision in (None, schema.REVISION)
    differences = _differences(found, created, created) if is_newest else []
    if differences or not is_newest:
        # The revisions lead to the same tables, and word some of them differently.
        migrated = _migrated(revision or schema.REVISION, revisions.MIGRATIONS)
        differences = _differences(found, migrated, created)
    pages = Counter(row.rootpage for row in rows if row.rootpage)
    return differences + [f"{row.type} '{row.name}' on pages of another" for row in rows if pages[row.rootpage] > 1]


def shadowing_parts(connection: Connection) -> list[str]:
    """What stands in the place of a table and is none, such as a view; that would be read in its stead."""
    return [
        f"{kind if kind != 'table' else 'generated columns in table'} '{name}'"
        for name, kind, hidden in connection.exec_driver_sql(_COLUMNS)
        if name in schema.metadata.tables and (kind != "table" or hidden)
    ]


def stray_parts(connection: Connection) -> list[str]:
    """What the file holds besides tables and indexes by the names that Inkling gives: all that reading has time for."""
    rows = connection.exec_driver_sql(_SCHEMA).all()
    indexes = {str(index.name) for table in schema.metadata.tables.values() for index in table.indexes}
    known = {"table": {*schema.metadata.tables}, "index": indexes}
    return [
        f"{row.type} '{row.name}'"
        for row in rows
        if not _is_bookkeeping(row) and row.name not in known.get(row.type, set())
    ]


def _differences(
    found: Mapping[Entry, Row[Any]], expected: Mapping[Entry, str], or_else: Mapping[Entry, str]
) -> list[str]:
    told = []
    for (kind, name), row in found.items():
        if (kind, name) not in expected:
            place = f" on table '{row.tbl_name}'" if kind in ("trigger", "index") else ""
            told.append(f"{kind} '{name}'{place}")
        elif _normal(row.sql) not in (expected[kind, name], or_else.get((kind, name))):
            told.append(f"a changed definition of {kind} '{name}'")
    return told + [f"no {kind} '{name}'" for kind, name in expected if (kind, name) not in found]


def _is_bookkeeping(row: Row[Any]) -> bool:
    """Whether SQLite made it by itself: its own tables, and the indexes behind UNIQUE and PRIMARY KEY."""
    return row.name in BOOKKEEPING or (row.sql is None and row.name.startswith("sqlite_autoindex_"))


@lru_cache
def _created(revision: str) -> dict[Entry, str]:  # noqa: ARG001 - the key of what is kept
    with _empty_database() as connection:
        revisions.create_schema(connection)
        return _definitions(connection)


@lru_cache
def _migrated(revision: str, migrations: Path) -> dict[Entry, str]:  # noqa: ARG001 - part of the key
    with _empty_database() as connection:
        revisions.run_revisions(connection, to=revision)
        return _definitions(connection)


@contextmanager
def _empty_database() -> Iterator[Connection]:
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as database,
        engine_of(database).begin() as connection,
    ):
        yield connection


def _definitions(connection: Connection) -> dict[Entry, str]:
    rows = connection.exec_driver_sql(_SCHEMA).all()
    return {(row.type, row.name): _normal(row.sql) for row in rows if not _is_bookkeeping(row)}


def _normal(sql: str | None) -> str:
    """A definition without layout, comments, needless quotes and the order of what stands in its brackets."""
    tokens = [token for token in _TOKEN.findall(sql or "") if not token.startswith(("--", "/*"))]
    parts, depth = [""], 0
    for token in map(_plain, tokens):
        depth += (token == "(") - (token == ")")
        outermost = depth == 1 and token in "(,"
        if outermost or (depth == 0 and token == ")"):
            parts.append("")
        else:
            parts[-1] += f"{token} "
    return "; ".join([parts[0], *sorted(parts[1:-1]), parts[-1]])


def _plain(token: str) -> str:
    """A token in lower case; the name of something of ours without its quotes."""
    if token[0] == "'":
        return token
    if token[0] not in '"`[':
        return token.lower()
    bare = token[1:-1].lower()
    return bare if bare in _names() else token


@lru_cache
def _names() -> frozenset[str]:
    tables = schema.metadata.tables.values()
    named = {str(part.name) for table in tables for group in (table.constraints, table.indexes) for part in group}
    columns = {column.name for table in tables for column in table.columns}
    return frozenset(name.lower() for name in {*schema.metadata.tables, *columns, *named})
