"""Digests of rows and of all that a memory holds.

The digest of a memory is the sum of the hashes of its rows. So a change of a few rows updates it without reading the
others, and two memories with the same digest hold the same, whatever the order in which they came by it
(Bellare and Micciancio 1997, "A new paradigm for collision-free hashing").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Double, LargeBinary, Table, select

from inkling.memory import schema

HASH_BYTES = 16
CHUNK_ROWS = 4096
MODULUS = 1 << (8 * HASH_BYTES)
NOT_HELD = {"alembic_version", "provenance", "statistics", "stream", "event", "change"}
"""Tables about how the memory came to be, and what is derived."""
STATE = tuple(table for table in schema.metadata.sorted_tables if table.name not in NOT_HELD)


class Shape(NamedTuple):
    """Columns of a table by how they are hashed; a table has at most one column of bytes.

    Columns that a later schema `added` count where they are not null, so rows of older memories keep their hashes.
    """

    scalars: tuple[Column[Any], ...]
    blob: Column[Any] | None
    added: tuple[Column[Any], ...] = ()


@cache
def shape_of(table: Table) -> Shape:
    """Which columns of a table count. The version of a memory does not: it never goes back."""
    counted = [column for column in table.columns if (table.name, column.name) != ("memory", "version")]
    blobs = [column for column in counted if isinstance(column.type, LargeBinary)]
    added = tuple(column for column in counted if column.info.get("added"))
    scalars = tuple(column for column in counted if column not in blobs and column not in added)
    return Shape(scalars, blobs[0] if blobs else None, added)


def row_hash(table: Table, row: Mapping[str, Any]) -> int:
    """Hash of one row, its columns by name; a column that is left out is null."""
    scalars, blob, added = shape_of(table)
    data = None if blob is None else row.get(blob.name)
    told: list[Any] = [table.name, *(_plain(column, row.get(column.name)) for column in scalars), data is not None]
    told += [[column.name, _plain(column, row[column.name])] for column in added if row.get(column.name) is not None]
    hashed = blake2b(json.dumps(told).encode(), digest_size=HASH_BYTES)
    if data is not None:
        hashed.update(data)
    return int.from_bytes(hashed.digest(), "big")


def _plain(column: Column[Any], value: Any) -> str | float | None:
    """A value as it comes back from the database, whatever number type it was written with."""
    if value is None or isinstance(value, str):
        return value
    return float(value) if isinstance(column.type, Double) else int(value)


def state_digest(connection: Connection) -> int:
    """Digest of all that the memory holds, read row by row."""
    return sum(_table_digest(connection, table) for table in STATE) % MODULUS


def _table_digest(connection: Connection, table: Table) -> int:
    rows = connection.execute(select(table).execution_options(yield_per=CHUNK_ROWS)).mappings().partitions()
    return sum(row_hash(table, dict(row)) for chunk in rows for row in chunk)


def digest_text(digest: int) -> str:
    """A digest as the log keeps it."""
    return f"{digest % MODULUS:0{2 * HASH_BYTES}x}"
