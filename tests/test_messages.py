"""Messages are plain English, and make sense in Python where they are raised below the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "inkling"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
BOTH = re.compile(r"in Python|'inkling [a-z-]+|inkling (fit|refit) |pip install")
"""What tells that the words are of the command line, or says the same for Python."""
OF_DECISIONS = {"review"}
"""Rooms whose remedies name verbs of the command line, each of which is a method of `Decisions` by the same name."""


def messages(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Texts of what is raised, places for values included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
            for value in [*node.args, *(one.value for one in node.keywords)]:
                yield (
                    node.lineno,
                    " ".join(
                        part.value
                        for part in ast.walk(value)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    ),
                )


FILES = [
    path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.relative_to(SOURCE).parts[0] not in {"cli", "serving", *OF_DECISIONS}
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_options_of_the_command_line_are_named_beside_those_of_python(path: Path) -> None:
    for line, text in messages(ast.parse(path.read_text(encoding="utf-8"))):
        assert not OPTION.search(text) or BOTH.search(text), f"{path.name}:{line}: {text}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_counts_and_kinds_have_their_forms(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "} times:" not in source
    assert "a {type(" not in source
