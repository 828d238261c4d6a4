"""One word for one thing: what the glossary rules out stands nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
RULED_OUT = "## Words that are not used"
RUNTIME = ROOT / "src" / "inkling" / "exporting" / "web" / "runtime"
"""Not ours: what the page of an export runs on."""
TEXTS = [
    path
    for pattern in (
        *("*.md", "docs/**/*.md", "src/**/*.py", "tests/**/*.py", "bench/**/*.py", "tools/**/*.py"),
        *("src/**/*.html", "src/**/*.js", "src/**/*.css", "src/**/*.j2"),
    )
    for path in sorted(ROOT.glob(pattern))
    if path not in (GLOSSARY, Path(__file__), ROOT / "CHANGELOG.md") and path.parent != RUNTIME
]
IN_TEMPLATES = ("src/inkling/prompts.py", "strange")
"""A text that an encoder reads, and that published figures were taken with."""


def ruled_out() -> Iterator[str]:
    table = GLOSSARY.read_text(encoding="utf-8").partition(RULED_OUT)[2]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    yield from (term.strip() for row in rows[1:] for term in row[1].split(","))


@cache
def texts() -> list[tuple[str, str]]:
    """Each file and what is in it, in small letters."""
    return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").lower()) for path in TEXTS]


def places_of(term: str) -> Iterator[str]:
    """Lines with a term, as words or within a name; a phrase may go on in the next line."""
    pattern = re.compile(r"(?<![a-z])" + r"[\s_#]+".join(term.split()) + r"(?![a-z])", re.I)
    begins = term.split()[0].lower()
    for place, text in texts():
        if begins in text and (place, term) != IN_TEMPLATES:  # which takes a hundredth of the time of the pattern
            yield from (f"{place}:{text.count(chr(10), 0, found.start()) + 1}" for found in pattern.finditer(text))


@pytest.mark.parametrize("term", list(ruled_out()))
def test_what_the_glossary_rules_out_stands_nowhere(term: str) -> None:
    assert list(places_of(term)) == []


def test_entries_stand_in_the_order_of_the_alphabet() -> None:
    table = GLOSSARY.read_text(encoding="utf-8").partition(RULED_OUT)[0]
    words = [line.split("|")[1].strip().lower() for line in table.splitlines() if line.startswith("| ")][1:]
    assert words == sorted(words)
