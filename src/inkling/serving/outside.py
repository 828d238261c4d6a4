"""What whoever asks over HTTP gets to read: no folders of this machine, and no commands of a terminal.

Errors and findings are worded for the command line, and a memory knows images by the paths that they had. Here, and
only here, both become what somebody can use who has a page or an HTTP client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from inkling.memory.place import FilePlace, place_of

PATHS = frozenset({"path", "image", "images", "files", "source", "memory"})
"""Members whose texts are paths. Names of classes are left alone, though they may look like one: ``/m/01g317``."""
TEXTS = frozenset({"command", "detail", "remedy", "reason", "error", "finding", "what"})
"""Members that are texts, in which paths and commands may stand."""
OPERATOR = "Whoever runs the service can mend this; its log has the reason."
_SORTING = "have the waiting images sorted anew (POST /v1/jobs)"
_INSTEAD: tuple[tuple[str, str], ...] = (
    (
        r"'inkling fit --update' adds images to a known class",
        "images are added to a class that there is already by POST /v1/classes/{id}/images, or on its card",
    ),
    (r"'inkling fit --update' adds images of several classes", "send those of other classes with their names"),
    (
        r"Run 'inkling discover' on it, or add it with 'inkling fit --update'",
        "Send it to POST /v1/observe, or add it to a class",
    ),
    (r"\bRun 'inkling discover'( again)?", _SORTING.capitalize().replace("post /v1", "POST /v1")),
    (r"\brun 'inkling discover'( again)?", _SORTING),
    (
        r"Name its path as 'inkling proposals --json -' has it, the end of that path, or its content hash",
        "Name its id, as GET /v1/proposals and GET /v1/classes have it",
    ),
    (r" with 'inkling (?:remove-class|proposals)'", ""),
    (r" \('inkling history'\)", " (GET /v1/history)"),
    (r" in 'inkling move --to'", ""),
    (r"then 'inkling move MEMORY IMAGE --to NAME' takes", "then moving takes"),
    (r"'inkling move' takes", "moving takes"),
    (r"'inkling accept MEMORY \d+ --name .+ --join' gives", "accepting it with 'join' gives"),
    (r"'inkling add-class FILE\.ink NAME --images DIR' adds it", "it can be added by these pictures"),
    (r"Give images of it with --images, or a --prompt", "Send pictures of it, or the field 'prompt'"),
    (r"or a --prompt", "or by the field 'prompt'"),
    (r"Leave --prompt out and give images", "Leave 'prompt' out and send pictures"),
    (r", or measure on these with --include-training [^.]*", ""),
    (r"--name NAME", "'name'"),
    (r"--name and --first-name", "'name' and 'first_name'"),
    (r"--first-name", "'first_name'"),
)
"""What stands for a command or its options."""
_SAID = tuple((re.compile(pattern), words) for pattern, words in _INSTEAD)
_COMMAND = re.compile(r"(?<![\w-])--[a-z]|\binkling [a-z]|\bpip install\b|\bin Python\b")
_SENTENCE = re.compile(r"(?<=[.?!;])\s+")
_QUOTED = re.compile(r"'([^'\n]*[/\\][^'\n]*)'")
_BARE = re.compile(r"(?<![\w/:.\\'])(?:/[^\s'\",;]+|[A-Za-z]:\\[^\s'\",;]+)")


class Outside:
    """Answers as they leave.

    Parameters
    ----------
    memory
        What is served: paths below its folder are relative to that, others are names of files.
    """

    def __init__(self, memory: str) -> None:
        self._folder = Path(memory).resolve().parent if isinstance(place_of(memory), FilePlace) else None

    def answer(self, value: Any, key: str = "") -> Any:
        """An answer, or a part of it that stands under a key."""
        match value:
            case Mapping():
                return {name: self.answer(one, name) for name, one in value.items()}
            case str() if key in PATHS:
                return self.path(value)
            case str() if key in TEXTS:
                return self.text(value)
            case Sequence() if not isinstance(value, str):
                return [self.answer(one, key) for one in value]
        return value

    def path(self, path: str) -> str:
        """A path without the folders that lead to it."""
        pure = PureWindowsPath(path) if re.match(r"[A-Za-z]:[\\/]|\\\\", path) else PurePosixPath(path)
        if not pure.is_absolute():
            return path
        if self._folder is not None and pure.is_relative_to(self._folder) and len(self._folder.parts) > 1:
            return str(pure.relative_to(self._folder))
        return pure.name or path

    def text(self, text: str) -> str:
        """A text in words for whoever has no terminal here, and without folders."""
        for pattern, words in _SAID:
            text = pattern.sub(words, text)
        if self._folder is not None and len(self._folder.parts) > 1:
            text = text.replace(f"{self._folder}/", "")
        text = _QUOTED.sub(lambda found: f"'{self._here(found[1])}'", text)
        return _BARE.sub(lambda found: self._here(found[0]), text)

    def remedy(self, remedy: str | None) -> str | None:
        """What can be done about an error over HTTP, without sentences that only somebody at a terminal can follow."""
        if remedy is None:
            return None
        return without_commands(self.text(remedy)) or None

    def _here(self, path: str) -> str:
        """What a text names, where that is a path of this machine: its first folder is there."""
        parts = PurePosixPath(path).parts
        if path.startswith("/") and not (len(parts) > 1 and Path("/", parts[1]).exists()):
            return path
        return self.path(path)


def without_commands(text: str) -> str:
    """A text without the sentences that name a command of a terminal, or an option of one."""
    return " ".join(one for one in _SENTENCE.split(text) if not _COMMAND.search(one)).rstrip(";")
