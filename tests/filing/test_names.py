"""Names that any file system takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.filing.names import Names, name_on_disk, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("house sparrow", "house sparrow"),
        ("cats/dogs", "cats_dogs"),
        ("a\\b:c", "a_b_c"),
        ("..", "_"),
        (".hidden", "_hidden"),
        ("../../etc", "__.._etc"),
        ("dot.", "dot"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com", "com"),
        ("console", "console"),
        ("", "_"),
        ("line\nbreak", "line_break"),
        ("Café", "Café"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_of_classes(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_whatever_it_was(name: str) -> None:
    safe = safe_name(name)
    assert safe not in ("", ".", "..")
    assert not safe.startswith(".")
    assert not re.search(r'[/\\:*?"<>|\x00-\x1f]', safe)
    assert len(safe.encode()) <= 201
    assert safe == safe.rstrip(". ")


@given(st.lists(st.text(max_size=20), max_size=20, unique=True))
def test_different_things_get_names_that_no_disk_takes_for_one(things: list[str]) -> None:
    names = Names("unknown")
    given_names = [names.of(one) for one in things]
    assert len({*map(name_on_disk, given_names), "unknown"}) == len(things) + 1
    assert [names.of(one) for one in things] == given_names


def test_a_name_that_is_taken_gets_a_number() -> None:
    names = Names("unknown")
    assert [names.of(one) for one in ("a/b", "A:B", "UNKNOWN", "a/b")] == ["a_b", "A_B-2", "UNKNOWN-2", "a_b"]
