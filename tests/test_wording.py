"""What is quoted stays in one line, costs nothing, and steers no terminal."""

from __future__ import annotations

import ast
import builtins
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.wording import LINE, counted, excerpt, quoted, visible


@given(st.one_of(st.text(), st.binary(), st.lists(st.lists(st.text())), st.dictionaries(st.text(), st.floats())))
def test_an_excerpt_is_one_line_that_can_be_written(value: object) -> None:
    told = excerpt(value)
    assert len(told) <= LINE
    assert not set(told) & {chr(code) for code in (*range(32), *range(127, 160))}
    told.encode()


def test_nested_aliases_are_not_written_out() -> None:
    nested: object = ["a"]
    for _ in range(40):
        nested = [nested] * 9
    assert len(excerpt(nested)) <= LINE


def test_what_is_endless_is_not_looked_at_to_its_end() -> None:
    assert excerpt("ab " * 10_000_000, most=10) == "ab ab ab …"
    assert excerpt("a\n" + " " * 10_000_000, most=10) == "a…"


def test_exceptions_say_what_they_are() -> None:
    assert excerpt(AssertionError()) == "AssertionError"
    assert excerpt(ValueError("no\nway")) == "no way"


def test_text_is_quoted() -> None:
    assert quoted("a b") == "'a b'"
    assert quoted(["a"]) == "['a']"
    assert quoted(3) == "3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 足", "plain é 足"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb", "a\\x0db"),
        ("\x9b1m", "\\x9b1m"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("\udcff", "\\udcff"),
        ("a\nb", "a\\x0ab"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_are_kept_where_they_are_meant() -> None:
    assert visible("a\nb\x07", keep="\n") == "a\nb\\x07"


def test_an_error_of_the_system_is_reported_in_its_words_alone() -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.csv")
    assert excerpt(error) == "No space left on device"
    assert excerpt(RuntimeError(str(error))) == "No space left on device: 'a.csv'"
    assert excerpt(OSError("Error writing. Detail: [errno 28] No space left on device")).endswith(
        "Detail: No space left on device"
    )
    assert excerpt(OSError()) == "OSError"


def test_counts_agree_with_their_nouns() -> None:
    assert [counted(n, "image") for n in (0, 1, 2, 1500)] == ["0 images", "1 image", "2 images", "1,500 images"]
    assert [counted(n, "class", "classes") for n in (1, 3)] == ["1 class", "3 classes"]


SOURCES = sorted(
    path
    for path in (Path(__file__).parents[1] / "src").rglob("*.py")
    if path.parent.name != "programs"  # of exports, which run without Inkling
)


def handlers(tree: ast.AST) -> Iterator[tuple[ast.ExceptHandler, str]]:
    """What catches errors of the system, and the name that it gives them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name and node.type is not None:
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            caught = [getattr(builtins, kind.id, None) for kind in kinds if isinstance(kind, ast.Name)]
            if any(
                isinstance(kind, type) and (issubclass(kind, OSError) or issubclass(OSError, kind)) for kind in caught
            ):
                yield node, node.name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_error_of_the_system_is_quoted_but_by_excerpt(path: Path) -> None:
    for handler, name in handlers(ast.parse(path.read_text(encoding="utf-8"))):
        for node in ast.walk(handler):
            quoted_whole = isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == name
            by_str = isinstance(node, ast.Call) and ast.unparse(node) in (f"str({name})", f"repr({name})")
            assert not quoted_whole, f"{path.name}:{node.lineno}"
            assert not by_str, f"{path.name}:{node.lineno}"
            assert ast.unparse(node) != f"{name}.strerror", f"{path.name}:{getattr(node, 'lineno', handler.lineno)}"
