"""What lies in a folder or in a zip: image files and the count of everything else. No image is opened."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.images.layout import HIDDEN, NOT_UTF8, Listing, is_hidden, is_utf8, kind_to_ignore
from inkling.wording import excerpt

LOOP = "link to a folder above"
UNREADABLE = "unreadable folder"
REPEATED_IN_ZIP = "repeated name in the zip"

_IS_UTF8 = 0x800
"""The bit by which a member of a zip says that its name is UTF-8."""


def list_folder(root: Path) -> Listing:
    """Image files below a folder, links followed."""
    ignored: Counter[str] = Counter()
    folders: set[PurePosixPath] = set()
    files = sorted(PurePosixPath(*parts) for parts in _walk(root, (), frozenset(), ignored, folders))
    return Listing({file: str(file) for file in files}, ignored, frozenset(folders))


def list_zip(path: Path) -> Listing:
    """Image files in a zip. Nothing is unpacked, so names that point outside of it do no harm.

    Raises
    ------
    InputError
        If the file is not a zip, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # a damaged list of members raises almost anything
        raise InputError(
            f"'{path}' cannot be read as a zip file: {excerpt(error)}.",
            remedy="Unpack it and name the folder, or copy the zip again.",
        ) from error
    ignored: Counter[str] = Counter()
    files: dict[PurePosixPath, str] = {}
    folders: set[PurePosixPath] = set()
    for info in reversed(members):  # of one name the last is the one that is opened
        name, file = info.filename, _plain(_spelt(info))
        kind = _kind_in_zip(file)
        if kind not in (HIDDEN, NOT_UTF8):
            folders.update((file, *file.parents) if info.is_dir() else file.parents)
        if info.is_dir():
            continue
        if kind is None and file in files:
            kind = REPEATED_IN_ZIP
        if kind is None:
            files[file] = name
        else:
            ignored[kind] += 1
    return Listing(dict(sorted(files.items())), ignored, frozenset(folders))


def _kind_in_zip(file: PurePosixPath) -> str | None:
    if any(map(is_hidden, file.parts)):
        return HIDDEN
    if not is_utf8(str(file)):
        return NOT_UTF8
    return kind_to_ignore(file.name)


def _spelt(info: zipfile.ZipInfo) -> str:
    """A member's name. Zips that do not say how names are encoded are read in a code page of 1981 by custom.

    But most programs write UTF-8, and hardly any other text is valid UTF-8 by chance.
    """
    if info.flag_bits & _IS_UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _plain(name: str) -> PurePosixPath:
    """A member's name without what leads out of the zip, and with the separators of this project."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return PurePosixPath(*(part for part in parts if part not in ("/", "..")))


def _walk(
    folder: Path,
    below: tuple[str, ...],
    above: frozenset[tuple[int, int]],
    ignored: Counter[str],
    folders: set[PurePosixPath],
) -> Iterator[tuple[str, ...]]:
    """Parts of the names of image files; `above` are the folders on the way here, by device and inode.

    What is ignored is counted, and folders are added, on the way.
    """
    try:
        status = folder.stat()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        ignored[UNREADABLE] += 1
        return
    here = (status.st_dev, status.st_ino)
    if status.st_ino and here in above:  # file systems without inodes have no such links
        ignored[LOOP] += 1
        return
    for entry in entries:
        kind = _kind(entry)
        if kind is not None:
            ignored[_named(kind, entry)] += 1
        elif entry.is_dir():
            folders.add(PurePosixPath(*below, entry.name))
            yield from _walk(folder / entry.name, (*below, entry.name), above | {here}, ignored, folders)
        else:
            yield (*below, entry.name)


def _named(kind: str, entry: os.DirEntry[str]) -> str:
    """A heading of its own for a folder whose name is not UTF-8: a class may be lost with it."""
    if kind != NOT_UTF8 or not Path(entry.path).is_dir():
        return kind
    return f"folder whose name is not UTF-8 ({excerpt(os.fsencode(entry.name).decode('utf-8', 'backslashreplace'))})"


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
