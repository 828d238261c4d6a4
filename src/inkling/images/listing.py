"""What lies in a folder or in a zip: image files and the count of everything else. No image is opened."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.images.layout import HIDDEN, NOT_UTF8, OTHER_SUFFIXES, Listing, is_hidden, is_utf8, kind_to_ignore
from inkling.images.places import Place, StoreError, Url, unreachable
from inkling.images.shard import plain_name
from inkling.wording import excerpt

LOOP = "link to a folder above"
UNREADABLE = "unreadable folder"
REPEATED_IN_ZIP = "repeated name in the zip"

_IS_UTF8 = 0x800
"""The bit by which a member of a zip says that its name is UTF-8."""


def list_folder(root: Path) -> Listing:
    """Image files below a folder, links followed."""
    walk = _Walk()
    files = sorted(PurePosixPath(*parts) for parts in walk.below(root, (), frozenset()))
    return Listing(
        {file: str(file) for file in files}, walk.ignored, frozenset(walk.folders), tuple(sorted(walk.others))
    )


def list_url(root: Url) -> Listing:
    """Image files behind a URL, as those of a folder: a store has no folders but in names.

    Raises
    ------
    InputError
        If it cannot be listed.
    """
    try:
        names = root.files()
    except OSError as error:
        raise unreachable(root, error) from error
    kinds = {name: _kind_by_name(name) for name in names}
    files = {name: str(name) for name, kind in kinds.items() if kind is None}
    ignored = Counter(kind for kind in kinds.values() if kind is not None)
    folders = {above for name, kind in kinds.items() if kind not in (HIDDEN, NOT_UTF8) for above in name.parents}
    others = tuple(name for name, kind in kinds.items() if kind in OTHER_SUFFIXES)
    return Listing(files, ignored, frozenset(folders), others)


def list_zip(path: Place) -> Listing:
    """Image files in a zip. Nothing is unpacked, so names that point outside of it do no harm.

    Raises
    ------
    InputError
        If the file is not a zip, or damaged.
    """
    try:
        with ExitStack() as stack:
            source = stack.enter_context(path.open()) if isinstance(path, Url) else path
            members = stack.enter_context(zipfile.ZipFile(source)).infolist()
    except (StoreError, FileNotFoundError, PermissionError) as error:
        raise unreachable(path, error) from error
    except Exception as error:  # a damaged list of members raises almost anything
        raise InputError(
            f"'{path}' cannot be read as a zip file: {excerpt(error)}.",
            remedy="Unpack it and name the folder, or copy the zip again.",
        ) from error
    ignored: Counter[str] = Counter()
    files: dict[PurePosixPath, str] = {}
    folders: set[PurePosixPath] = set()
    for info in reversed(members):  # of one name the last is the one that is opened
        name, file = info.filename, plain_name(_spelt(info))
        kind = _kind_by_name(file)
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


def _kind_by_name(file: PurePosixPath) -> str | None:
    """Under which heading a file is ignored, or None for an image; each folder above it counts."""
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


class _Walk:
    """A way through a folder, on which what is ignored is counted and folders and other files are noted."""

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()
        self.folders: set[PurePosixPath] = set()
        self.others: list[PurePosixPath] = []

    def below(
        self, folder: Path, parts: tuple[str, ...], above: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[str, ...]]:
        """Parts of the names of image files; `above` are the folders on the way here, by device and inode."""
        try:
            status = folder.stat()
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            self.ignored[UNREADABLE] += 1
            return
        here = (status.st_dev, status.st_ino)
        if status.st_ino and here in above:  # file systems without inodes have no such links
            self.ignored[LOOP] += 1
            return
        for entry in entries:
            kind = _kind(entry)
            if kind in OTHER_SUFFIXES and entry.is_file():
                self.others.append(PurePosixPath(*parts, entry.name))
            if kind is not None:
                self.ignored[_named(kind, entry)] += 1
            elif entry.is_dir():
                self.folders.add(PurePosixPath(*parts, entry.name))
                yield from self.below(folder / entry.name, (*parts, entry.name), above | {here})
            else:
                yield (*parts, entry.name)


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
