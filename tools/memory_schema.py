"""Write docs/reference/memory-schema.md from the tables in inkling.memory.schema.

Usage: python tools/memory_schema.py
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Table

from inkling.memory import schema
from inkling.memory.columns import AnyText
from inkling.memory.database import PAGES

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "memory-schema.md"

ASCII_ID = schema.APPLICATION_ID.to_bytes(4, "big").decode()

HEADER = f"""\
# Schema of the memory file

<!-- Written by tools/memory_schema.py; change src/inkling/memory/schema.py instead. -->

A memory is a SQLite database. Any SQLite tool opens it; only Inkling should write it.
[The memory file](../explanation/memory.md) says why it is as it is.

| what | value |
|---|---|
| `application_id` | `{schema.APPLICATION_ID:#010x}` ("{ASCII_ID}" in ASCII) |
| schema revision | `{schema.REVISION}`, kept in `alembic_version` |
| journal mode | WAL |
| page size | {PAGES[0]} to {PAGES[-1]} bytes, by the length of the vectors |
| auto-vacuum | full |

In columns of type *escaped text*, NUL, lone surrogates (they stand for undecodable bytes of file names) and
U+241B are written as U+241B and four hexadecimal digits. All other text is stored as it is. No column may be
null, unless its type says so.
"""


def schema_page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([HEADER, *map(_section, schema.metadata.sorted_tables)])


def _section(table: Table) -> str:
    lines = [
        f"## `{table.name}`",
        "",
        table.info["about"],
        "",
        "| column | type | key | meaning |",
        "|---|---|---|---|",
        *(f"| `{column.name}` | {_type(column)} | {_key(column)} | {column.doc} |" for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _type(column: Column[object]) -> str:
    name = "escaped text" if isinstance(column.type, AnyText) else str(column.type).lower()
    return f"{name}, or null" if column.nullable else name


def _key(column: Column[object]) -> str:
    marks = ["primary"] if column.primary_key else []
    if column.primary_key and column.table.dialect_options["sqlite"]["autoincrement"]:
        marks = ["primary, autoincrement"]
    if column.unique:
        marks.append("unique")
    marks += [f"→ `{key.target_fullname}`" for key in column.foreign_keys]
    return ", ".join(marks)


if __name__ == "__main__":
    PAGE.write_text(schema_page(), encoding="utf-8")
