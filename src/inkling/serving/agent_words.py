"""Errors in words for an agent: it has tools and somebody to ask, and no terminal."""

from __future__ import annotations

import re

from inkling.errors import EncoderError, InklingError, MemoryFileError, MissingExtraError
from inkling.serving.outside import without_commands

OPERATOR = "Ask the person who runs this server: only they can mend it."
_OF_OPERATOR = (MemoryFileError, EncoderError, MissingExtraError)
_SORTING = "ask the person to have the waiting pictures sorted anew, and call 'list_proposals' then"
_INSTEAD: tuple[tuple[str, str], ...] = (
    (r"\bRun 'inkling discover'(?: again)?", _SORTING.capitalize()),
    (r"\brun 'inkling discover'(?: again)?", _SORTING),
    (r"'inkling discover' looks for new classes", _SORTING.capitalize()),
    (r"'inkling accept MEMORY \d+ --name .+ --join' gives", "calling 'accept' with 'join' true gives"),
    (r"'inkling fit --update' adds images to a known class", "call 'accept' with 'join' true to add to that class"),
    (r" \('inkling history'\)", ", which 'history' tells"),
    (r" with 'inkling (?:remove-class|proposals)'", ""),
    (r"--name and --first-name", "'name'"),
    (r"--name NAME", "'name'"),
)
"""What stands for a command of a terminal, or for its options."""
_SAID = tuple((re.compile(pattern), words) for pattern, words in _INSTEAD)


def for_agents(error: InklingError) -> str:
    """What came, what was expected, and what an agent can do: a tool to call, or whom to ask."""
    if isinstance(error, _OF_OPERATOR):
        return f"{_said(error.message)} {OPERATOR}"
    return " ".join(filter(None, (_said(error.message), without_commands(_said(error.remedy or "")))))


def _said(text: str) -> str:
    for pattern, words in _SAID:
        text = pattern.sub(words, text)
    return text
