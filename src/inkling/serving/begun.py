"""The first classes of a memory that is not there yet, kept in a file beside its place: a zip of their pictures."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.memory.place import FilePlace, place_of
from inkling.outputs import appearing_whole, told_as_unwritable
from inkling.types import ImageRecord
from inkling.wording import excerpt

ENDING = ".begun.zip"
"""Behind the name of the memory."""
_CLASSES = "classes.json"
MOST_BYTES = 512 * 2**20
"""Of the pictures that are collected."""


@dataclass(frozen=True, eq=False)
class Collected:
    """A class before the memory knows it."""

    name: str
    records: tuple[ImageRecord, ...]
    prompts: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of its pictures."""
        return sum(len(one.data or b"") for one in self.records)

    def with_more(self, records: Sequence[ImageRecord], prompts: Sequence[str]) -> Collected:
        """With more pictures, each file once, and more texts."""
        every = Collected(self.name, (*self.records, *records), (*self.prompts, *prompts))
        once: dict[str, ImageRecord] = {}
        for content, record in zip(every.hashes, every.records, strict=True):
            once.setdefault(content, record)
        return replace(every, records=tuple(once.values()))

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """What its pictures are called by, each by its bytes, as those of a memory are."""
        return tuple(blake2b(one.data or b"", digest_size=16).hexdigest() for one in self.records)


class BegunFile:
    """The file in which they are; a memory in a database has none.

    Parameters
    ----------
    memory
        Where the memory will be.
    """

    def __init__(self, memory: str) -> None:
        self._path = Path(f"{memory}{ENDING}") if isinstance(place_of(memory), FilePlace) else None

    def read(self) -> dict[str, Collected]:
        """What is in it, by the name of the class; nothing where there is no file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        if self._path is None or not self._path.exists():
            return {}
        try:
            with zipfile.ZipFile(self._path) as file:
                if sum(one.file_size for one in file.infolist()) > 2 * MOST_BYTES:
                    raise ValueError("it is too large")
                return {one["name"]: _collected(one, file) for one in json.loads(file.read(_CLASSES))}
        except (OSError, ValueError, LookupError, TypeError, RuntimeError, RecursionError, zipfile.BadZipFile) as error:
            raise InputError(
                f"The first classes of the memory, in '{self._path}', cannot be read: {excerpt(error)}.",
                remedy="Move that file away to begin anew.",
            ) from error

    def write(self, classes: Sequence[Collected]) -> None:
        """Have it hold these.

        Raises
        ------
        InputError
            If it cannot be written; then it holds what it held.
        """
        if not classes:
            self.remove()
        elif self._path is not None:
            with appearing_whole(self._path) as draft, zipfile.ZipFile(draft, "w") as file:
                file.writestr(_CLASSES, json.dumps([_described(one, at) for at, one in enumerate(classes)]))
                for at, one in enumerate(classes):
                    for number, record in enumerate(one.records):
                        file.writestr(_member(at, number), record.data or b"")

    def remove(self) -> None:
        """Take it away.

        Raises
        ------
        InputError
            If it cannot be.
        """
        if self._path is not None:
            with told_as_unwritable(self._path):
                self._path.unlink(missing_ok=True)

    def remove_what_is_known(self, classes: Collection[str]) -> None:
        """Take it away where the memory knows all that is in it: who made the memory was killed before doing so."""
        if self._path is not None and self._path.exists() and set(self.read()) <= set(classes):
            self.remove()


def _described(one: Collected, at: int) -> dict[str, Any]:
    pictures = [{"path": record.path, "member": _member(at, number)} for number, record in enumerate(one.records)]
    return {"name": one.name, "prompts": one.prompts, "pictures": pictures}


def _member(at: int, number: int) -> str:
    return f"{at}/{number}"


def _collected(told: Any, file: zipfile.ZipFile) -> Collected:
    records = (ImageRecord(str(one["path"]), data=file.read(one["member"])) for one in told["pictures"])
    return Collected(str(told["name"]), tuple(records), tuple(str(one) for one in told["prompts"]))
