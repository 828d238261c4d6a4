"""Tar shards and Parquet files that together are one source: which are meant, and their pictures with their classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.images.archives import PARQUET, TAR, reference
from inkling.images.layout import choose_split, has_splits, in_split, label_files, without_wrapper
from inkling.images.parquet_pictures import list_parquet, picture_columns
from inkling.images.places import Place, Url, is_url, place_of, unreachable
from inkling.images.shard import Shard, ShardPicture, split_named
from inkling.images.tars import list_tar
from inkling.labels import Kind, read_labels
from inkling.types import ImageRecord
from inkling.wording import excerpt

SHARD_OF_OTHER_SPLIT = "shard of another split"
_MOST_SHARDS = 1_000_000
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Packed:
    """Images of shards, how many entries were left out, by kind, and what labels are of."""

    records: tuple[ImageRecord, ...]
    ignored: Mapping[str, int]
    label_kind: Kind


def is_shard(place: Place) -> bool:
    """Whether a file holds pictures: a tar by its name, Parquet by its columns.

    Raises
    ------
    InputError
        If a Parquet file can't be read.
    """
    suffix = place.suffix.lower()
    return suffix == TAR or (suffix == PARQUET and picture_columns(place) is not None)


def named_by_pattern(name: str) -> list[Place] | None:
    """The files that a pattern names: ``{000..003}``, ``{train,val}``, and ``*``, ``?``, ``[...]`` as shells have them.

    None where the name is no pattern, or is that of a file.

    Raises
    ------
    InputError
        If it names nothing, or too many.

    Examples
    --------
    >>> [str(one) for one in named_by_pattern("s3://bucket/shards-{000..002}.tar")]
    ['s3://bucket/shards-000.tar', 's3://bucket/shards-001.tar', 's3://bucket/shards-002.tar']
    """
    if not (_BRACES.search(name) or _WILD.search(name)) or (not is_url(name) and Path(name).exists()):
        return None
    found: dict[str, Place] = {}
    for one in _without_braces(name):
        found.update((str(place), place) for place in (_matching(one) if _WILD.search(one) else [place_of(one)]))
    if not found:
        raise InputError(f"No file is named like '{excerpt(name)}'.", remedy="Check the pattern, and the folder.")
    return list(found.values())


def read_shards(places: Sequence[Place], names: Sequence[PurePosixPath], *, split: str | None) -> Packed:
    """Images of shards with their classes.

    Parameters
    ----------
    places
        Tars and Parquet files.
    names
        Their names below the folder that the user named, which may say which part of the data set each is of.
    split
        As for `inkling.images.sources.find_images`.

    Raises
    ------
    InputError
        If a shard can't be read, or there is no such split.
    """
    parts = [split_named(name) for name in names]
    ignored: Counter[str] = Counter()
    if split is not None and any(parts):
        chosen = choose_split({part for part in parts if part is not None}, split)
        kept = [place for place, part in zip(places, parts, strict=True) if part == chosen]
        ignored[SHARD_OF_OTHER_SPLIT] += len(places) - len(kept)
        places, split = kept, None
    found: list[tuple[Place, ShardPicture]] = []
    kinds: set[Kind | None] = set()
    for place in places:
        shard = _listed(place)
        found += [(place, one) for one in shard.pictures]
        ignored.update(shard.ignored)
        kinds.add(shard.label_kind)
    n = len(found)
    if split is not None:
        found = _of_split(found, split)
    ignored["other split"] += n - len(found)
    labels, kind = _labels([one for _, one in found])
    records = tuple(
        ImageRecord(f"{place}/{one.member}", label, reference(place), one.member, group=one.group, span=one.span)
        for (place, one), label in zip(found, labels, strict=True)
    )
    return Packed(records, +ignored, Kind.TEXT if kinds == {Kind.TEXT} else kind)


def _listed(place: Place) -> Shard:
    if place.suffix.lower() == TAR:
        return list_tar(place)
    columns = picture_columns(place)
    if columns is None:
        raise InputError(
            f"'{place}' has no column of pictures.",
            remedy="Name a column of bytes, or of bytes and paths, 'image'; for files elsewhere, a column 'path'.",
        )
    return list_parquet(place, columns)


def _of_split(found: Sequence[tuple[Place, ShardPicture]], split: str) -> list[tuple[Place, ShardPicture]]:
    """The pictures of a part that a column or the folders within the shards tell; all where neither does."""
    told = {one.split.lower() for _, one in found if one.split is not None}
    if told:
        chosen = choose_split(told, split)
        return [(place, one) for place, one in found if one.split is not None and one.split.lower() == chosen]
    names = _unwrapped([one.name for _, one in found])
    if not has_splits(names):
        return list(found)
    chosen = choose_split({name.parts[0].lower() for name in names if in_split(name)}, split)
    return [pair for pair, name in zip(found, names, strict=True) if in_split(name) and name.parts[0].lower() == chosen]


def _labels(pictures: Sequence[ShardPicture]) -> tuple[Sequence[str | None], Kind]:
    """What stands beside the pictures; where nothing does, their folders, as those of a zip."""
    if any(one.label is not None for one in pictures):
        read = read_labels([one.label for one in pictures])
        return read.names, read.kind
    names = _unwrapped([one.name for one in pictures])
    return [one.label for one in label_files(names, split=None)], Kind.TEXT


def _unwrapped(names: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    root = without_wrapper(names)
    return [name.relative_to(root) for name in names]


def _without_braces(name: str) -> Iterator[str]:
    """All names that braces stand for; the last ones vary first."""
    pieces = _BRACES.split(name)
    choices = [list(_choices(piece)) if at % 2 else [piece] for at, piece in enumerate(pieces)]
    n = 1
    for some in choices:
        n *= len(some)
    if n > _MOST_SHARDS:
        raise _too_many(name)
    return map("".join, product(*choices))


def _choices(inside: str) -> Sequence[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        return inside.split(",") if "," in inside else [f"{{{inside}}}"]
    first, last, width = int(found[1]), int(found[2]), len(found[1])
    if abs(last - first) >= _MOST_SHARDS:
        raise _too_many(inside)
    numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return [f"{number:0{width}d}" for number in numbers]


def _too_many(pattern: str) -> InputError:
    return InputError(
        f"'{excerpt(pattern)}' stands for more than {_MOST_SHARDS:,} names.", remedy="Name the folder, or fewer files."
    )


def _matching(pattern: str) -> Sequence[Place]:
    place = place_of(pattern)
    if isinstance(place, Url):
        try:
            return place.matching()
        except OSError as error:
            raise unreachable(place, error) from error
    root = Path(place.anchor)
    return sorted(root.glob(str(place.relative_to(root)) if place.anchor else str(place)))
