"""The reference page of the schema says what the schema says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from inkling.memory import schema

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_its_tool_writes() -> None:
    spec = importlib.util.spec_from_file_location("memory_schema", ROOT / "tools" / "memory_schema.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = (ROOT / "docs" / "reference" / "memory-schema.md").read_text(encoding="utf-8")
    assert page == tool.schema_page(), "run: python tools/memory_schema.py"


def test_every_table_and_column_says_what_it_is_for() -> None:
    for table in schema.metadata.tables.values():
        assert table.info["about"].endswith(".")
        for column in table.columns:
            assert column.doc, f"{table.name}.{column.name}"
            assert column.doc.endswith(".")
