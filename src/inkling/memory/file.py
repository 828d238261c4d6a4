"""The file on disk, before SQLite sees it: is it there, is it ours, may it be written, how does it appear."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inkling.errors import MemoryFileError
from inkling.memory.faults import damaged
from inkling.memory.held import unless_held
from inkling.memory.schema import APPLICATION_ID
from inkling.outputs import draft_beside, flush_to_disk
from inkling.wording import excerpt

HEADER_BYTES = 100
SQLITE_MAGIC = b"SQLite format 3\x00"


def is_database(path: Path) -> bool:
    """Whether a file is SQLite's, whoever's it is."""
    with unless_held(path) as is_free:
        if not is_free:
            return True
        try:
            with path.open("rb") as file:
                return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
        except OSError:
            return False


def require_memory(path: Path) -> None:
    """Make sure that `path` is an Inkling memory, by its header alone.

    Raises
    ------
    MemoryFileError
        If the file is missing, a folder, unreadable, not SQLite, or another program's database.
    """
    with unless_held(path) as is_free:
        if not is_free:
            return  # a connection has looked at it, and to open it beside that would cost its locks
        header = _read_header(path)
    if not header.startswith(SQLITE_MAGIC):
        raise MemoryFileError(
            f"{path} is not an Inkling memory: it is {'empty' if not header else 'no SQLite file'}.",
            remedy="Name a file that 'inkling fit' or, in Python, save has written; this one is left as it is.",
        )
    if len(header) < HEADER_BYTES:
        raise damaged(path, "it ends within its header")
    found = int.from_bytes(header[68:72], "big")
    if found != APPLICATION_ID:
        raise MemoryFileError(
            f"{path} is a SQLite database of another program "
            f"(application_id {found:#010x}; Inkling's is {APPLICATION_ID:#010x}).",
            remedy="Name another file; this one is left as it is.",
        )


def _read_header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEADER_BYTES)
    except FileNotFoundError:
        raise MemoryFileError(f"There is no memory at {path}.", remedy=_suggest(path)) from None
    except IsADirectoryError:
        raise MemoryFileError(
            f"{path} is a folder; a memory is a single file.",
            remedy="Name a file in it, such as vehicles.ink.",
        ) from None
    except OSError as error:
        raise MemoryFileError(
            f"{path} cannot be read: {excerpt(error)}.",
            remedy="Check the permissions of the file and its folders.",
        ) from error


def _suggest(path: Path) -> str:
    nearby = {found.name: found for found in path.parent.glob("*.ink")} if path.parent.is_dir() else {}
    close = difflib.get_close_matches(path.name, nearby, n=3) or sorted(nearby)[:3]
    if close:
        return f"Did you mean {' or '.join(str(nearby[name]) for name in close)}?"
    return "Make one with: inkling fit IMAGES --memory FILE.ink --encoder NAME_OR_FOLDER, in Python with fit and save."


def require_writable(path: Path) -> None:
    """Make sure that the memory at `path` can be made or changed: SQLite writes side files next to it.

    Raises
    ------
    MemoryFileError
        If the folder is missing, or the file or its folder is read-only.
    """
    folder = path.parent
    if not folder.is_dir():
        raise MemoryFileError(
            f"The folder {folder} does not exist, so {path.name} cannot be written there.",
            remedy=f"Make it with: mkdir -p '{folder}'",
        )
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise MemoryFileError(
                f"{place} is read-only, so the memory {path} cannot be written.",
                remedy="Change its permissions, or write the memory to another folder.",
            )


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Build a file beside `path` and let it appear there whole, or not at all.

    Yields the path to build at. A file that has come to be at `path` in the meantime is never replaced.

    Raises
    ------
    FileExistsError
        If another process was quicker.
    """
    with draft_beside(path) as draft:
        yield draft
        flush_to_disk(draft)
        _publish(draft, path)
        _flush_folder(path.parent)


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)  # unlike a rename, it never replaces
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        if path.exists():
            raise FileExistsError(path) from None
        draft.rename(path)  # systems and file systems without hard links


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
