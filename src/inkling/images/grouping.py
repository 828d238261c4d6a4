"""Which images come from one source, by their folder, their name, or the time at which they were taken."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Self

from inkling.errors import InputError
from inkling.images.files import Files
from inkling.images.provenance import taken_at
from inkling.types import ImageRecord
from inkling.wording import counted, excerpt

FOLDER, PATTERN, TIME = "folder", "regex", "exif-time"
SECONDS = 10.0
"""Pause after which a camera's next picture is of another source."""
_EXPECTED = (
    "Write folder, regex:PATTERN such as regex:(cam\\d+_\\d{8}), or exif-time, with or without the seconds of a pause: "
    "exif-time:60."
)


@dataclass(frozen=True)
class Grouping:
    """A rule by which images are of one source.

    Attributes
    ----------
    kind
        ``folder``, ``regex`` or ``exif-time``.
    pattern
        What is looked for in the path: images that agree in it, or in its groups, are of one source.
    seconds
        Pause between two pictures of a camera from which on they are of two sources.
    """

    kind: str
    pattern: re.Pattern[str] | None = None
    seconds: float = SECONDS

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``folder``, ``regex:PATTERN``, ``exif-time`` or ``exif-time:SECONDS``.

        Raises
        ------
        InputError
            If it is something else.
        """
        kind, _, detail = text.partition(":")
        if kind == FOLDER and not detail:
            return cls(kind)
        if kind == PATTERN and detail:
            return cls(kind, pattern=_pattern(detail))
        if kind == TIME:
            return cls(kind, seconds=_seconds(detail) if detail else SECONDS)
        raise InputError(f"'{excerpt(text)}' names no way to group images.", remedy=_EXPECTED)

    def __call__(self, records: Sequence[ImageRecord]) -> list[ImageRecord]:
        """The records with their groups; one without a folder, a match or a time is a source of its own.

        Raises
        ------
        InputError
            If that goes for all of them.
        """
        find: Callable[[Sequence[ImageRecord]], list[str | None]] = {
            FOLDER: _folders,
            PATTERN: self._matches,
            TIME: self._bursts,
        }[self.kind]
        groups = find(records)
        if records and all(group is None for group in groups):
            lacking = {
                FOLDER: "lies in a folder",
                PATTERN: "has the pattern in its path",
                TIME: "has its time in EXIF",
            }
            raise InputError(f"None of the {len(records)} images {lacking[self.kind]}.", remedy=_EXPECTED)
        if self.kind == FOLDER:
            _require_no_classes(records, groups)
        return [replace(record, group=group) for record, group in zip(records, groups, strict=True)]

    def _matches(self, records: Sequence[ImageRecord]) -> list[str | None]:
        assert self.pattern is not None
        found = [self.pattern.search(record.path.replace("\\", "/")) for record in records]
        return [None if one is None else " ".join(map(str, one.groups() or (one.group(),))) for one in found]

    def _bursts(self, records: Sequence[ImageRecord]) -> list[str | None]:
        """Pictures of one camera, each taken within the pause after the one before."""
        of_camera: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        with Files() as files:
            for row, record in enumerate(records):
                if (taken := taken_at(record, files)) is not None:
                    of_camera[taken.camera].append((taken.time, row))
        groups: list[str | None] = [None] * len(records)
        for camera, shots in of_camera.items():
            begin = before = datetime.min
            for time, row in sorted(shots):
                if begin == datetime.min or (time - before).total_seconds() > self.seconds:
                    begin = time
                groups[row], before = f"{camera} {begin.isoformat()}", time
        return groups


def _folders(records: Sequence[ImageRecord]) -> list[str | None]:
    parents = [PurePath((record.file or record.path).replace("\\", "/")).parent.as_posix() for record in records]
    return [None if parent == "." else parent for parent in parents]


def _require_no_classes(records: Sequence[ImageRecord], groups: Sequence[str | None]) -> None:
    """Refuse folders that are the classes: each class would be one source, and no other image of it could judge."""
    pairs = {(record.label, group) for record, group in zip(records, groups, strict=True) if record.label is not None}
    labels, folders = {label for label, _ in pairs}, {group for _, group in pairs}
    one_to_one = pairs and None not in folders and len(pairs) == len(labels) == len(folders)
    # A class alone may come from one folder that is a source.
    if one_to_one and (len(pairs) > 1 or all(PurePath(str(group)).name == label for label, group in pairs)):
        raise InputError(
            f"The folders are the classes: each of {counted(len(pairs), 'class', 'classes')} lies in one folder of its "
            "own and would be one source, of which nothing could be held out.",
            remedy="Leave --groups-from out, in Python groups, and sources are found by how alike images are; or give "
            "each source a folder below its class, fox/night 12/0001.jpg, or name sources by regex:PATTERN or a column "
            "'group'.",
        )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise InputError(f"'{excerpt(text)}' is no regular expression: {error}.", remedy=_EXPECTED) from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InputError(f"'{excerpt(text)}' is no number of seconds.", remedy=_EXPECTED)
    return seconds
