"""The table of a PostgreSQL memory that pgvector searches: embeddings in half precision, derived from the vectors.

It is there from the moment that somebody makes an index until the extension or the space goes. Each transaction that
writes brings it into agreement, so all readers find what is there in the version that they see.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from inkling.memory.derived import CHUNK_ROWS, Sight, sight_of
from inkling.memory.read import count_exemplars
from inkling.types import IntArray, Vectors

TABLE, INDEX = "exemplar_search", "exemplar_search_hnsw"
MAX_DIMENSION = 4000
"""What pgvector indexes of `halfvec` at most."""
MOST_ADDED = 20_000
"""Rows that a write adds to the index; it is sooner made anew than given more one by one."""
_STATE = text(f"""
    SELECT obj_description(c.oid, 'pg_class') AS told, coalesce(bool_or(i.indisvalid AND i.indisready), false) AS valid
    FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND NOT i.indisprimary
    WHERE c.oid = to_regclass('{TABLE}') AND c.relkind = 'r' GROUP BY c.oid
""")
_SCHEMA = text("""
    SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector'
    AND EXISTS (SELECT FROM pg_type t WHERE t.typname = 'halfvec' AND t.typnamespace = n.oid)
""")
_NEW = text(f"""
    SELECT v.exemplar_id, v.data FROM vector v WHERE v.space_id = :space
    AND NOT EXISTS (SELECT FROM {TABLE} s WHERE s.exemplar_id = v.exemplar_id) ORDER BY v.exemplar_id
""")


@dataclass(frozen=True)
class Searched:
    """What the comment on the table says, from when on it is complete.

    Attributes
    ----------
    space_id
        Whose vectors are in it.
    recall
        Share of the ten nearest that the index finds.
    """

    space_id: int
    recall: float


def searched(connection: Connection) -> Searched | None:
    """The table, if it is complete and has its index."""
    row = connection.execute(_STATE).one_or_none()
    if row is None or not row.valid or row.told is None:
        return None
    try:
        told = json.loads(row.told)
        return Searched(int(told["space"]), float(told["recall"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def pgvector_schema(connection: Connection) -> str | None:
    """The schema that pgvector is in, quoted; None where it is not in the database, or too old for half precision.

    Its types are named with it, as it is no part of the search path where it stands apart from a memory: a memory has a
    table `vector`, and a table's name is that of a type too.
    """
    found = connection.execute(_SCHEMA).scalar()
    return None if found is None else str(found)


def name_is_taken(connection: Connection) -> bool:
    """Whether pgvector stands in the schema where a new memory's table `vector` would."""
    taken = "SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = current_schema()"
    query = f"SELECT EXISTS ({taken} WHERE t.typname = 'vector' AND t.typrelid = 0)"
    return connection.execute(text(query)).scalar_one() is True


def make_table(connection: Connection, sight: Sight) -> None:
    """Make the table anew, empty. Rows go with their exemplars."""
    drop_table(connection)
    connection.execute(
        text(
            f"CREATE TABLE {TABLE} (exemplar_id INTEGER PRIMARY KEY REFERENCES exemplar (id) ON DELETE CASCADE, "
            f"embedding {pgvector_schema(connection)}.halfvec({sight.dimension}) NOT NULL)"
        )
    )


def drop_table(connection: Connection) -> None:
    """Take it away."""
    connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


def declare_complete(connection: Connection, sight: Sight, *, recall: float) -> None:
    """From now on it is searched, and each writer keeps it in agreement."""
    add_new_rows(connection, sight)
    told = json.dumps({"space": sight.space_id, "recall": round(recall, 4)})
    connection.execute(text(f"COMMENT ON TABLE {TABLE} IS '{told}'"))


def follow_writes(connection: Connection) -> None:
    """Bring the table into agreement with what this transaction wrote, before it commits.

    Whatever fails in that, the table goes and the write stays: it can be made anew.
    """
    table = searched(connection)
    if table is None:
        return
    savepoint = connection.begin_nested()
    try:
        sight = sight_of(connection)
        if sight.space_id != table.space_id:
            drop_table(connection)
        elif new := count_exemplars(connection, sight.space_id) - _count(connection):
            add_new_rows(connection, sight) if new <= MOST_ADDED else drop_table(connection)
    except DBAPIError:
        savepoint.rollback()
        drop_table(connection)
    else:
        savepoint.commit()


def add_new_rows(connection: Connection, sight: Sight) -> None:
    """Embeddings that the table lacks."""
    in_chunks = {"yield_per": CHUNK_ROWS}
    rows = connection.execute(_NEW, {"space": sight.space_id}, execution_options=in_chunks)
    for chunk in rows.partitions():
        ids = np.array([number for number, _ in chunk], dtype=np.int64)
        put_rows(connection, ids, sight.embeddings([data for _, data in chunk]))


def put_rows(connection: Connection, ids: IntArray, X: Vectors) -> None:
    """Embeddings by COPY, in the binary form that PostgreSQL and pgvector define."""
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_bytes", ">i4"),
            ("id", ">i4"),
            ("bytes", ">i4"),
            ("dimension", ">i2"),
            ("unused", ">i2"),
            ("x", ">f2", (X.shape[1],)),
        ]
    )
    rows = np.zeros(len(ids), dtype=row)
    rows["fields"], rows["id_bytes"], rows["id"] = 2, 4, ids
    rows["bytes"], rows["dimension"], rows["x"] = 4 + 2 * X.shape[1], X.shape[1], X
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
    with driver.cursor() as cursor, cursor.copy(f"COPY {TABLE} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        copy.write(rows.tobytes())
        copy.write(struct.pack(">h", -1))


def _count(connection: Connection) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {TABLE}")).scalar_one())
