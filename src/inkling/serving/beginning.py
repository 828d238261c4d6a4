"""A memory before its first version: classes are collected until there are two, and then it is fitted.

What was collected outlives the process: see `inkling.serving.begun`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from inkling.classifier.few_shot import FewShotClassifier
from inkling.encoders.base import Encoder
from inkling.errors import ConflictError, InputError, MissingError
from inkling.labels import check_names, require_class_name
from inkling.memory.place import FilePlace, place_of
from inkling.outputs import check_writable
from inkling.prompts import ClassPrompts
from inkling.serving.begun import MOST_BYTES, BegunFile, Collected
from inkling.types import ImageRecord
from inkling.wording import quoted

CLASSES = 2


class Beginning:
    """Collects the first classes of a memory, and takes up those that were collected before.

    Parameters
    ----------
    memory
        Where it will be.

    Raises
    ------
    InputError
        If no file can be written there, or what was collected before cannot be read.
    """

    def __init__(self, memory: str) -> None:
        place = place_of(memory)
        if isinstance(place, FilePlace):
            check_writable(memory)
        place.require_room()
        self._memory = memory
        self._kept = BegunFile(memory)
        self._classes = self._kept.read()
        self._before: dict[str, Collected] | None = None  # the latest change
        self._lock = threading.Lock()

    @property
    def classes(self) -> tuple[Collected, ...]:
        """What was collected."""
        return tuple(self._classes.values())

    def add(self, name: str, records: Sequence[ImageRecord], prompts: Sequence[str], *, encoder: Encoder) -> bool:
        """Collect a class, or more of one; returns whether the memory is fitted now.

        Raises
        ------
        InputError
            If the name cannot be that of a class, or nothing tells what it looks like.
        """
        name = require_class_name(name)
        if not records and not prompts:
            raise InputError(
                f"Nothing tells what a '{name}' looks like.", remedy="Send pictures, or the field 'prompt'."
            )
        with self._lock:
            before = self._classes.get(name, Collected(name, (), ()))
            check_names([name], [one for one in self._classes if one != name])
            classes = {**self._classes, name: before.with_more(records, prompts)}
            if sum(one.size for one in classes.values()) > MOST_BYTES:
                raise ConflictError(
                    f"The first classes have more than {MOST_BYTES // 2**20} MiB of pictures.",
                    remedy="Begin with fewer pictures: the others can be added to the classes later.",
                )
            if len(classes) >= CLASSES:
                self._fit(tuple(classes.values()), encoder)
                self._classes, self._before = {}, None
                with suppress(InputError):  # the memory is there, and the next start looks again
                    self._kept.remove()
                return True
            self._change(classes)
            return False

    def rename(self, name: str, new: str) -> None:
        """Give a class that was collected another name.

        Raises
        ------
        MissingError
            If there is no such class.
        InputError
            If the new name cannot be that of a class.
        """
        new = require_class_name(new)
        with self._lock:
            self._require(name)
            check_names([new], [one for one in self._classes if one != name])
            renamed = (replace(one, name=new) if one.name == name else one for one in self._classes.values())
            self._change({one.name: one for one in renamed})

    def remove(self, name: str) -> None:
        """Forget a class that was collected.

        Raises
        ------
        MissingError
            If there is no such class.
        """
        with self._lock:
            self._require(name)
            self._change({one.name: one for one in self._classes.values() if one.name != name})

    def picture(self, content_hash: str) -> bytes | None:
        """The file of a picture that was collected."""
        for one in self.classes:
            if content_hash in one.hashes:
                return one.records[one.hashes.index(content_hash)].data
        return None

    def take_back(self) -> str:
        """Undo the latest change, or else forget the class that was collected last; returns the name of the class.

        Raises
        ------
        ConflictError
            If there is none.
        """
        with self._lock:
            if self._before is None and not self._classes:
                raise ConflictError("There is nothing to undo.")
            now, before = self._classes, self._before
            if before is None:
                before = dict(list(now.items())[:-1])
            changed = next(name for name in [*now, *before] if now.get(name) is not before.get(name))
            self._change(before)
            self._before = None
            return changed

    def _require(self, name: str) -> None:
        if name not in self._classes:
            raise MissingError(f"No class {quoted(name)} waits for a second one.", remedy="GET /v1/classes lists them.")

    def _change(self, classes: dict[str, Collected]) -> None:
        self._kept.write(tuple(classes.values()))
        self._before, self._classes = self._classes, classes

    def _fit(self, classes: Sequence[Collected], encoder: Encoder) -> None:
        described = [ClassPrompts(one.name, one.prompts) for one in classes if one.prompts]
        records = [replace(record, label=one.name) for one in classes for record in one.records]
        FewShotClassifier(encoder, prompts=described, cache=False).fit(records).save(self._memory)
