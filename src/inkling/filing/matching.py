"""Which image a row of a list means, where the list was edited, or the folder of the images was moved meanwhile."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.filing.fix_list import SHOWN, Fix
from inkling.images.boxes import parsed, shown
from inkling.wording import counted, excerpt

Key = tuple[str, str]
"""A picture's path and, where a box in it is meant, the box."""


@dataclass(frozen=True)
class Matched:
    """Rows of a list with the images that they mean.

    Attributes
    ----------
    fixes
        By number of the image.
    gone
        Rows that mean none.
    moved_from
        The folder that the list names in place of the images' own; None where it names theirs.
    """

    fixes: dict[int, Fix]
    gone: tuple[Fix, ...]
    moved_from: str | None


def matched(fixes: Sequence[Fix], paths: Sequence[str], *, root: str | Path | None) -> Matched:
    """Find the image of each row.

    A row names an image by its path as it stands, or by that from the working folder or from the root; where none is
    there, by that from another folder in the place of the root, which must be one for all rows. The margin of a box
    does not count.

    Parameters
    ----------
    paths
        The images.
    root
        Folder of the images; None where it isn't known.

    Raises
    ------
    InputError
        If no row means an image, or two rows say different things of one.
    """
    images = _Images(paths, root)
    found = [images.at(fix.path) for fix in fixes]
    lost = [number for number, image in enumerate(found) if image is None]
    moved_from = None
    if lost:
        moved = [images.moved(fixes[number].path) for number in lost]
        places = Counter(one[0] for one in moved if one is not None)
        moved_from = places.most_common(1)[0][0] if places else None
        for number, one in zip(lost, moved, strict=True):
            if one is not None and one[0] == moved_from:
                found[number] = one[1]
    if all(image is None for image in found):
        raise InputError(
            f"The list is of other images: none of its {counted(len(fixes), 'row')} means one of these, such as "
            f"{excerpt(fixes[0].path)}.",
            remedy="Name the folder that was audited, or audit this one.",
        )
    gone = tuple(fix for fix, image in zip(fixes, found, strict=True) if image is None)
    return Matched(_by_image(fixes, found, paths), gone, moved_from)


def _by_image(fixes: Sequence[Fix], found: Sequence[int | None], paths: Sequence[str]) -> dict[int, Fix]:
    rows: dict[int, list[Fix]] = defaultdict(list)
    for fix, image in zip(fixes, found, strict=True):
        if image is not None:
            rows[image].append(fix)
    twice = [image for image, some in rows.items() if len({(one.action, one.label) for one in some}) > 1]
    if twice:
        told = "; ".join(f"{excerpt(paths[image])} (rows {_numbers(rows[image])})" for image in twice[:SHOWN])
        raise InputError(
            f"Rows contradict each other about {counted(len(twice), 'image')}: {told}.",
            remedy="Keep one row for each image.",
        )
    return {image: some[0] for image, some in rows.items()}


def _numbers(rows: Sequence[Fix]) -> str:
    return ", ".join(str(one.row) for one in rows)


class _Images:
    """Images by everything that a row may call them."""

    def __init__(self, paths: Sequence[str], root: str | Path | None) -> None:
        keys = [_key(path) for path in paths]
        self._root = _common(keys) if root is None else os.path.abspath(root)  # noqa: PTH100 - resolves no link
        self._shared = _common(keys)
        self._by_path = {path: number for number, path in reversed(list(enumerate(paths)))}
        self._by_key = {key: number for number, key in reversed(list(enumerate(keys)))}
        self._below = {
            (parts, key[1]): number
            for key, number in self._by_key.items()
            if (parts := _below(key[0], self._root)) is not None
        }

    def at(self, path: str) -> int | None:
        """Number of the image at a path."""
        if path in self._by_path:
            return self._by_path[path]
        keys = [_key(text, folder) for folder in (None, self._root, self._shared) for text in _spelt(path)]
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    def moved(self, path: str) -> tuple[str, int] | None:
        """The folder that a path names in the place of the root, and number of the image there.

        A file that is there is an image of another folder.
        """
        if any(os.path.lexists(_key(text)[0]) for text in _spelt(path)):
            return None
        file, box = _split(path.replace("\\", "/"))
        parts = PurePosixPath(file).parts
        for begin in range(1, len(parts)):
            number = self._below.get((parts[begin:], box))
            if number is not None:
                return str(PurePosixPath(*parts[:begin])), number
        return None


def _spelt(path: str) -> tuple[str, ...]:
    """A path as it stands, and with the slashes that Windows turns."""
    return (path, path.replace("\\", "/")) if "\\" in path else (path,)


def _key(path: str, folder: str | None = None) -> Key:
    file, box = _split(path)
    return os.path.abspath(Path(folder or "", file)), box  # noqa: PTH100 - follows no link


def _split(path: str) -> Key:
    """The picture and the box that a path names; a file of just that name comes first."""
    read = None if "#xywh=" not in path or os.path.lexists(path) else parsed(path)
    return (path, "") if read is None else (read[0], shown("", replace(read[1], margin=0.0)))


def _common(keys: Sequence[Key]) -> str | None:
    try:
        return os.path.commonpath([os.path.dirname(file) for file, _ in keys])  # noqa: PTH120 - of text
    except ValueError:  # none, or on several drives
        return None


def _below(file: str, root: str | None) -> tuple[str, ...] | None:
    """Parts of a path from the root on; None where it lies elsewhere."""
    if root is None:
        return None
    path = Path(file)
    return path.relative_to(root).parts if path.is_relative_to(root) else None
