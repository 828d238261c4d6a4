"""What is written to disk: each file or folder appears under its name when it is complete, or an older one stays.

Everybody who writes builds in a hidden folder of its own beside the target, and moves the result from there. So two
writers of one name never mix: the last to finish wins whole. A writer that is killed leaves its hidden folder; the
next one beside it takes that away. A lock, which the system lets go when a process dies, tells the two apart.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from inkling.errors import InputError
from inkling.wording import excerpt

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # in place of the module

_REMEDY = "Name a file in a folder that exists, has space, and that you may write to."
_DRAFT = re.compile(r"\.inkling-[0-9a-f]{16}\.part")
_HERE, _EXCHANGE = -100, 2
"""`AT_FDCWD` and `RENAME_EXCHANGE` of renameat2(2)."""
ABANDONED_SECONDS = 86400.0
"""Where nothing can be locked, a draft that nobody touched for so long is a leftover."""


@contextmanager
def appearing_whole(path: str | Path) -> Iterator[Path]:
    """Build a file beside its name and move it there at the end.

    Yields the path to write at. A pipe or a device, such as ``/dev/null``, is written directly.

    Raises
    ------
    InputError
        If the file cannot be written; then nothing has changed.

    Examples
    --------
    >>> with appearing_whole("numbers.csv") as draft:
    ...     _ = draft.write_text("1,2,3")
    """
    target = Path(path)
    with told_as_unwritable(target):
        if target.exists() and not target.is_file():
            yield target
        else:
            yield from _replacing(target.resolve())


@contextmanager
def told_as_unwritable(target: Path) -> Iterator[None]:
    """Name the file or folder that is being written where the system refuses.

    Raises
    ------
    InputError
        In place of any `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise _unwritable(target, excerpt(error)) from error


@contextmanager
def draft_beside(final: Path) -> Iterator[Path]:
    """A path for this writer alone to build at, on the file system of `final`; what is still there at the end goes.

    Hidden folders that killed writers left beside `final` are removed first.
    """
    remove_leftovers(final.parent)
    draft = _Draft(final.parent)
    try:
        try:
            draft.claim()
            yield draft.folder / final.name
        finally:
            draft.remove()
    finally:
        draft.remove()  # Ctrl-C may come while the first is at work


@contextmanager
def folder_appearing_whole(folder: Path, *, replace: bool = True) -> Iterator[Path]:
    """Build a folder beside its name and move it there at the end.

    Yields the folder to write into.

    Parameters
    ----------
    folder
        Its name.
    replace
        Take the place of a folder that stands there.

    Raises
    ------
    OSError
        If it can't be written, or something stands there and isn't to be replaced. Then nothing has changed.
    """
    with draft_beside(folder) as draft:
        draft.mkdir()
        yield draft
        for file in draft.rglob("*"):
            if file.is_file():
                flush_to_disk(file)
        _take_place(draft, folder, replace=replace)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Whether this process alone works in a folder, until the end; True too where nothing can be locked."""
    lock = None
    try:
        lock = _lock(folder)
        yield True
    except BlockingIOError:
        yield False
    finally:
        if lock is not None:
            os.close(lock)


def check_writable(path: str | Path) -> None:
    """Say before long work that a file cannot be written where it is asked for.

    Raises
    ------
    InputError
        If it is a folder, or its folder is missing or may not be written to.
    """
    target = Path(path)
    folder = target.absolute().parent
    if target.is_dir():
        raise InputError(f"'{target}' is a folder; a file was expected.", remedy="Name a file in it.")
    if not folder.is_dir():
        raise InputError(f"The folder '{folder}' for '{target}' does not exist.", remedy="Make it, or name another.")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise _unwritable(target, "Permission denied")


def flush_to_disk(path: Path) -> None:
    """Have a file on disk before it takes its name, so that a power cut cannot leave an empty one."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _replacing(final: Path) -> Iterator[Path]:
    with draft_beside(final) as draft:
        yield draft
        flush_to_disk(draft)
        if final.exists():
            shutil.copymode(final, draft)
        draft.replace(final)


def _take_place(draft: Path, folder: Path, *, replace: bool) -> None:
    """Move a folder to its name. Other writers may do the same meanwhile; the last wins whole."""
    if replace and _exchanged(draft, folder):
        return
    for number in count():
        before = draft.with_name(f".before-{number}")
        if replace:
            with suppress(FileNotFoundError):
                folder.replace(before)
        try:
            draft.replace(folder)
        except OSError as error:
            if replace and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue
            if before.exists() and not folder.exists():
                before.replace(folder)
            raise
        return


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two have changed places, in one step; only Linux can, where both are there."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    return bool(exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


class _Draft:
    """A hidden folder of one writer, with its lock."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock: int | None = None
        self._name_anew()

    def claim(self) -> None:
        """Make the folder and lock it. Whoever tidies up may take it away before it is locked; then it gets another."""
        while True:
            self.folder.mkdir()
            with suppress(FileNotFoundError, BlockingIOError):
                self._lock = _lock(self.folder)
                if self.folder.is_dir():
                    return
                self._unlock()
            self._name_anew()

    def remove(self) -> None:
        """Take the folder away with all that it holds, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._unlock()

    def _name_anew(self) -> None:
        self.folder = self._parent / f".inkling-{secrets.token_hex(8)}.part"

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def remove_leftovers(parent: Path) -> None:
    with suppress(OSError):  # one that may not be removed does no harm
        for folder in [Path(entry.path) for entry in os.scandir(parent) if _DRAFT.fullmatch(entry.name)]:
            with suppress(OSError):
                lock = _lock(folder)
                if lock is not None or _is_abandoned(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                if lock is not None:
                    os.close(lock)


def _lock(folder: Path) -> int | None:
    """A lock on a folder, to be closed; None where the system or the file system has none.

    Raises
    ------
    BlockingIOError
        If somebody else holds it.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _is_abandoned(folder: Path) -> bool:
    touched = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    return time.time() - touched > ABANDONED_SECONDS


def _unwritable(target: Path, cause: str) -> InputError:
    return InputError(f"'{target}' cannot be written: {cause}.", remedy=_REMEDY)
