"""What lies in a file that holds many pictures: a tar shard or a Parquet file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from inkling.images.layout import is_split
from inkling.labels import Kind
from inkling.types import Span

_WORDS = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class ShardPicture:
    """One picture of a shard.

    Attributes
    ----------
    member
        By what it is found there: its name, without what leads out of a tar, or the number of its row.
    name
        Its name, with the folders of a tar.
    label
        As the shard has it: a number, a text, or None.
    span
        The bytes of the shard that are the picture's; None where it must be unpacked.
    split, group
        Part of the data set and source that the shard tells.
    """

    member: str
    name: PurePosixPath
    label: Any = None
    span: Span | None = None
    split: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Shard:
    """Pictures of a file, how many other entries it has, by kind, and what its labels are of if it says so."""

    pictures: tuple[ShardPicture, ...]
    ignored: Mapping[str, int]
    label_kind: Kind | None = None


def plain_name(name: str) -> PurePosixPath:
    """A member's name without what leads out of its archive, and with the separators of this project."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return PurePosixPath(*(part for part in parts if part not in ("/", "..")))


def split_named(shard: PurePosixPath) -> str | None:
    """The part of a data set that the folder or the name of a shard says it is of; None where none does.

    Examples
    --------
    >>> split_named(PurePosixPath("data/train-00000-of-00002.parquet")), split_named(PurePosixPath("val/0001.tar"))
    ('train', 'val')
    >>> split_named(PurePosixPath("shard-000.tar")) is None
    True
    """
    if len(shard.parts) > 1 and is_split(shard.parts[0]):
        return shard.parts[0].lower()
    words = {word for word in _WORDS.split(shard.stem.lower()) if is_split(word)}
    return words.pop() if len(words) == 1 else None
