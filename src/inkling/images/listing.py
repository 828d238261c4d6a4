"""What lies in a folder or in a zip: image files and the count of everything else. No image is opened."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.images.layout import HIDDEN, NOT_UTF8, Listing, is_hidden, is_utf8, kind_to_ignore

LOOP = "link to a folder above"
UNREADABLE = "unreadable folder"


def list_folder(root: Path) -> Listing:
    """Image files below a folder, links followed."""
    ignored: Counter[str] = Counter()
    files = sorted(PurePosixPath(*parts) for parts in _walk(root, (), frozenset(), ignored))
    return Listing({file: str(file) for file in files}, ignored)


def list_zip(path: Path) -> Listing:
    """Image files in a zip. Nothing is unpacked, so names that point outside of it do no harm.

    Raises
    ------
    InputError
        If the file is not a zip, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(
            f"'{path}' cannot be read as a zip file: {error}.",
            remedy="Unpack it and name the folder, or copy the zip again.",
        ) from error
    ignored: Counter[str] = Counter()
    files: dict[PurePosixPath, str] = {}
    for name in dict.fromkeys(names):
        file = _plain(name)
        kind = HIDDEN if any(map(is_hidden, file.parts)) else kind_to_ignore(file.name)
        if kind is None:
            files[file] = name
        else:
            ignored[kind] += 1
    return Listing(dict(sorted(files.items())), ignored)


def _plain(name: str) -> PurePosixPath:
    """A member's name without what leads out of the zip, and with the separators of this project."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return PurePosixPath(*(part for part in parts if part not in ("/", "..")))


def _walk(
    folder: Path, below: tuple[str, ...], above: frozenset[tuple[int, int]], ignored: Counter[str]
) -> Iterator[tuple[str, ...]]:
    """Parts of the names of image files; `above` are the folders on the way here, by device and inode."""
    try:
        status = folder.stat()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        ignored[UNREADABLE] += 1
        return
    here = (status.st_dev, status.st_ino)
    if here in above:
        ignored[LOOP] += 1
        return
    for entry in entries:
        kind = _kind(entry)
        if kind is not None:
            ignored[kind] += 1
        elif entry.is_dir():
            yield from _walk(folder / entry.name, (*below, entry.name), above | {here}, ignored)
        else:
            yield (*below, entry.name)


def _kind(entry: os.DirEntry[str]) -> str | None:
    """Under which heading an entry is ignored, or None."""
    if is_hidden(entry.name):
        return HIDDEN
    if not is_utf8(entry.name):
        return NOT_UTF8
    try:
        is_folder = entry.is_dir()
    except OSError:
        return UNREADABLE
    return None if is_folder else kind_to_ignore(entry.name)
