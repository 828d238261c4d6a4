"""Names of classes and files as names that any file system takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import count
from pathlib import PurePosixPath

LONGEST = 100
"""Characters of a name; 255 bytes are what file systems take, with a number and an ending."""
_LONGEST_BYTES = 200
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
"""Devices of Windows, with any ending."""


def safe_name(name: str) -> str:
    """A name without anything that leads elsewhere, hides it, or that Windows refuses.

    Examples
    --------
    >>> safe_name("cats/dogs"), safe_name(".."), safe_name("nul.jpg"), safe_name("house sparrow")
    ('cats_dogs', '_', '_nul.jpg', 'house sparrow')
    """
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip().rstrip(". ")[:LONGEST]
    while len(safe.encode()) > _LONGEST_BYTES:
        safe = safe[:-1]
    safe = safe.rstrip(". ")
    if safe.startswith(".") or _RESERVED.match(safe):
        safe = f"_{safe.lstrip('.')}"
    return safe or "_"


def names_of_file(own: str) -> Iterator[str]:
    """Names for a file, without end: its own as far as it is safe, and then with numbers before its ending.

    Examples
    --------
    >>> names = names_of_file("a?.jpg")
    >>> next(names), next(names)
    ('a_.jpg', 'a_-2.jpg')
    """
    ending = PurePosixPath(own).suffix
    suffix = ending if _SUFFIX.fullmatch(ending) else ""
    stem = safe_name(own.removesuffix(suffix))
    for number in count(1):
        yield f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"


def name_on_disk(name: str) -> str:
    """What two names share that some file systems take for one: they differ by case or Unicode form alone."""
    return unicodedata.normalize("NFC", name).casefold()


class Names:
    """Different names for different things, as far as any file system tells them apart.

    Parameters
    ----------
    taken
        Names that nobody gets.
    """

    def __init__(self, *taken: str) -> None:
        self._taken = set(map(name_on_disk, taken))
        self._given: dict[str, str] = {}

    def of(self, thing: str) -> str:
        """The name of a thing, always the same: its own as far as it is safe, with a number where it is taken."""
        if thing not in self._given:
            safe = safe_name(thing)
            number, name = 1, safe
            while name_on_disk(name) in self._taken:
                number += 1
                name = f"{safe}-{number}"
            self._taken.add(name_on_disk(name))
            self._given[thing] = name
        return self._given[thing]
