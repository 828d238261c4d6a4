"""The generated reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["cli", "python"])
def test_a_page_is_what_its_tool_writes(tool: ModuleType, page: str) -> None:
    kept = (ROOT / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert kept == getattr(tool, f"{page}_page")(), "run: python tools/reference.py"
