"""What is quoted stays in one line, costs nothing, and steers no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.wording import LINE, excerpt, quoted, visible


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
