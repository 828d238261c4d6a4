"""Generated pages say what the code says, and figures what the benchmarks measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def load(tool: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(tool, ROOT / "tools" / f"{tool}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["cli", "python"])
def test_a_page_is_what_its_tool_writes(page: str) -> None:
    kept = (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert kept == getattr(load("reference"), f"{page}_page")(), "run: make docs"


def test_the_page_of_figures_is_what_was_measured() -> None:
    kept = (ROOT / "docs" / "reference" / "figures.md").read_text(encoding="utf-8")
    assert kept == load("figures").page(), "run: make docs"


def test_every_missed_goal_stands_by_name_and_the_readme_counts_them() -> None:
    missed = load("figures").missed()
    page = (ROOT / "docs" / "reference" / "figures.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = page.split("## Missed goals")[1]
    assert [row["what"] for _, row in missed if row["what"] not in listed] == []
    assert f"goals {len(missed)} are missed" in readme


@pytest.mark.parametrize("page", load("figures").TABLES)
def test_tables_of_figures_are_what_was_measured(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == load("figures").with_tables(page, text), "run: make docs"
