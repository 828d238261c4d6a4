"""Whether a PostgreSQL database holds the tables of a memory and nothing else.

As `inkling.memory.schema_check` for files: triggers, rules, row policies, inheritance, views and changed columns or
constraints alter what statements of ours do. What belongs to an extension of the server is none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from inkling.memory import schema, server_search

_RELATIONS = text("""
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, n.nspname, c.relnamespace <> m.relnamespace AS elsewhere
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class m ON m.oid = to_regclass('memory')
    WHERE pg_table_is_visible(c.oid) AND n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_'
    AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S') AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname
""")
_PROGRAMS = text("""
    SELECT 'trigger' AS kind, tgname AS name, tgrelid::regclass::text AS owner FROM pg_trigger
    WHERE tgrelid = ANY(CAST(:tables AS oid[])) AND NOT tgisinternal
    UNION ALL SELECT 'switched-off trigger', tgname, tgrelid::regclass::text FROM pg_trigger
    WHERE tgrelid = ANY(CAST(:tables AS oid[])) AND tgisinternal AND tgenabled <> 'O'
    UNION ALL SELECT 'rule', rulename, ev_class::regclass::text FROM pg_rewrite
    WHERE ev_class = ANY(CAST(:tables AS oid[])) AND rulename <> '_RETURN'
    UNION ALL SELECT 'row policy', polname, polrelid::regclass::text FROM pg_policy
    WHERE polrelid = ANY(CAST(:tables AS oid[]))
    UNION ALL SELECT 'inheriting table', inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits
    WHERE inhparent = ANY(CAST(:tables AS oid[])) OR inhrelid = ANY(CAST(:tables AS oid[]))
    ORDER BY 1, 2
""")
_COLUMNS = text("""
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
        a.attgenerated::text || a.attidentity::text AS made,
        pg_get_expr(d.adbin, d.adrelid) AS default, a.attcollation = t.typcollation AS plain
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = CAST(:table AS oid) AND a.attnum > 0 AND NOT a.attisdropped
""")
_CONSTRAINTS = text("""
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = CAST(:table AS oid) AND contype NOT IN ('n', 't') AND convalidated
""")
_INDEXES = text("""
    SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = CAST(:table AS oid) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
""")
_SEARCH_CONSTRAINTS = {
    "PRIMARY KEY (exemplar_id)",
    "FOREIGN KEY (exemplar_id) REFERENCES exemplar(id) ON DELETE CASCADE",
}
_KINDS = {"r": "table", "v": "view", "m": "materialized view", "f": "foreign table", "p": "partitioned table"}
_KINDS |= {"S": "sequence"}


def foreign_parts(connection: Connection, *, revision: str | None = None) -> list[str]:
    """What stands in the database and is not of the schema, in words; empty for a memory as it should be.

    Parameters
    ----------
    connection
        Open on the database.
    revision
        Of the schema that it should have; the newest if None. Definitions are compared for the newest alone.
    """
    tables, told, searched = {}, [], None
    for row in connection.execute(_RELATIONS):
        label = f"{_KINDS[row.relkind]} '{row.relname}'"
        if row.relname == server_search.TABLE and row.relkind == "r":
            searched = row.oid
            continue
        if row.relkind == "S" and row.relname.removesuffix("_id_seq") in schema.metadata.tables:
            continue
        if row.relname not in schema.metadata.tables or row.relkind != "r":
            told.append(label)
            continue
        tables[row.relname] = row.oid
        if row.elsewhere:
            told.append(f"{label} in the schema '{row.nspname}'")
        if row.relrowsecurity:
            told.append(f"row security on {label}")
    if searched is not None:
        told += _odd_columns(connection, searched)
    programs = connection.execute(_PROGRAMS, {"tables": [*tables.values(), *([searched] if searched else [])]})
    told += [f"{kind} '{name}' on table '{owner}'" for kind, name, owner in programs]
    if revision in (None, schema.REVISION):
        for name, table in schema.metadata.tables.items():
            told += _differences(connection, table, tables[name]) if name in tables else [f"no table '{name}'"]
    return told


def standing_parts(connection: Connection) -> list[str]:
    """All that stands in a database that holds no memory, in words; what `foreign_parts` would look at in one."""
    return [f"{_KINDS[row.relkind]} '{row.relname}'" for row in connection.execute(_RELATIONS)]


def shadowing_parts(connection: Connection) -> list[str]:
    """What stands in the place of a table and is none, such as a view; that would be read in its stead."""
    return [
        f"{_KINDS[row.relkind]} '{row.relname}'"
        for row in connection.execute(_RELATIONS)
        if row.relname in schema.metadata.tables and row.relkind != "r"
    ]


def _differences(connection: Connection, table: Table, number: int) -> Iterator[str]:
    """Parts of a table that are not as its definition makes them."""
    key = {"table": number}
    columns = {row.attname: tuple(row)[1:] for row in connection.execute(_COLUMNS, key)}
    for name in columns.keys() | table.columns.keys():
        if name not in columns or name not in table.columns or not _is_as_made(table.columns[name], *columns[name]):
            yield f"a changed column '{name}' of table '{table.name}'"
    if sorted(map(_normal, connection.scalars(_CONSTRAINTS, key))) != sorted(_constraints(table)):
        yield f"changed constraints of table '{table.name}'"
    indexes = sorted(_normal(told).rpartition(" USING ")[2] for told in connection.scalars(_INDEXES, key))
    if indexes != sorted(f"btree ({_listed(index.columns.keys())})" for index in table.indexes):
        yield f"changed indexes of table '{table.name}'"


def _odd_columns(connection: Connection, number: int) -> Iterator[str]:
    """What is not as made in the table that pgvector searches; its column may have gone with the extension."""
    for row in connection.execute(_COLUMNS, {"table": number}):
        expected = {"exemplar_id": r"integer", "embedding": r"(\w+\.)?halfvec\(\d+\)"}.get(row.attname, "")
        if not re.fullmatch(expected, row.type) or not row.attnotnull or row.made or row.default or row.plain is False:
            yield f"a changed column '{row.attname}' of table '{server_search.TABLE}'"
    for definition in connection.scalars(_CONSTRAINTS, {"table": number}):
        if _normal(definition) not in _SEARCH_CONSTRAINTS:
            yield f"changed constraints of table '{server_search.TABLE}'"
    for definition in connection.scalars(_INDEXES, {"table": number}):
        if " USING hnsw (embedding " not in definition or " WHERE " in definition:
            yield f"changed indexes of table '{server_search.TABLE}'"


def _is_as_made(column: Column[object], type: str, required: bool, made: str, default: str | None, plain: bool) -> bool:
    expected = column.type.compile(postgresql.dialect()).lower().replace("varchar", "character varying")  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no type
    numbers_itself = column.table.autoincrement_column is column
    counter = rf"nextval\('(\w+\.)?\"?{column.table.name}_id_seq\"?'::regclass\)"
    as_default = re.fullmatch(counter, default or "") if numbers_itself else default is None
    return type == expected and required != column.nullable and not made and plain and bool(as_default)


def _constraints(table: Table) -> Iterator[str]:
    of_columns = [constraint for column in table.columns for constraint in column.constraints]
    for constraint in (*table.constraints, *of_columns):
        if isinstance(constraint, ForeignKeyConstraint):
            target = f"{constraint.referred_table.name}({_listed([key.column.name for key in constraint.elements])})"
            action = f" ON DELETE {constraint.ondelete}" if constraint.ondelete else ""
            yield f"FOREIGN KEY ({_listed(constraint.column_keys)}) REFERENCES {target}{action}"
        elif isinstance(constraint, PrimaryKeyConstraint):
            yield f"PRIMARY KEY ({_listed(constraint.columns.keys())})"
        elif isinstance(constraint, UniqueConstraint):
            yield f"UNIQUE ({_listed(constraint.columns.keys())})"
        elif isinstance(constraint, CheckConstraint):
            yield f"CHECK (({constraint.sqltext}))"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _normal(definition: str) -> str:
    """Without the quotes around names that are words of SQL."""
    return definition.replace('"', "")
