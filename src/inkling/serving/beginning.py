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
from inkling.errors import ConflictError, InputError
from inkling.labels import check_names, require_class_name
from inkling.memory.place import FilePlace, place_of
from inkling.outputs import check_writable
from inkling.prompts import ClassPrompts
from inkling.serving.begun import MOST_BYTES, BegunFile, Collected
from inkling.types import ImageRecord

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
        if isinstance(place_of(memory), FilePlace):
            check_writable(memory)
        self._memory = memory
        self._kept = BegunFile(memory)
        self._classes = self._kept.read()
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
            grown = Collected(name, (*before.records, *records), (*before.prompts, *prompts))
            classes = {**self._classes, name: grown}
            if sum(one.size for one in classes.values()) > MOST_BYTES:
                raise ConflictError(
                    f"The first classes have more than {MOST_BYTES // 2**20} MiB of pictures.",
                    remedy="Begin with fewer pictures: the others can be added to the classes later.",
                )
            if len(classes) >= CLASSES:
                self._fit(tuple(classes.values()), encoder)
                self._classes = {}
                with suppress(InputError):  # the memory is there, and the next start looks again
                    self._kept.remove()
                return True
            self._kept.write(tuple(classes.values()))
            self._classes = classes
            return False

    def drop_latest(self) -> str:
        """Forget the class that was collected last; returns its name.

        Raises
        ------
        ConflictError
            If there is none.
        """
        with self._lock:
            if not self._classes:
                raise ConflictError("There is nothing to undo.")
            *others, latest = self._classes.values()
            self._kept.write(others)
            del self._classes[latest.name]
            return latest.name

    def _fit(self, classes: Sequence[Collected], encoder: Encoder) -> None:
        described = [ClassPrompts(one.name, one.prompts) for one in classes if one.prompts]
        records = [replace(record, label=one.name) for one in classes for record in one.records]
        FewShotClassifier(encoder, prompts=described, cache=False).fit(records).save(self._memory)
