"""Faults of SQLite and of the file system, in the user's words."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from inkling.errors import MemoryFileError
from inkling.wording import excerpt

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What a full disk and a full quota say; not every system has quotas."""

ROOM_BYTES = 65536
"""Below this much free space, an error of the disk is taken for want of it: SQLite's shared side file takes half."""


def damaged(where: object, detail: str) -> MemoryFileError:
    """Error for a memory that is ours and broken; `where` says in text which."""
    return MemoryFileError(
        f"The memory {where} is damaged: {detail}.",
        remedy="Restore it from a copy, or fit it anew under another name.",
    )


def warn_of_strays(where: object, parts: Sequence[str]) -> None:
    """Say what a memory that is only read holds besides what Inkling puts there: it does nothing by itself there."""
    warnings.warn(
        f"The memory {where} holds what Inkling never puts there: {excerpt(', '.join(parts))}. It can be read, but not "
        "be written to while that is in it. Ask whoever gave it to you.",
        RuntimeWarning,
        stacklevel=2,
    )


def foreign(where: object, parts: Sequence[str]) -> MemoryFileError:
    """Error for a memory that holds what Inkling never puts there, which `parts` name."""
    return MemoryFileError(
        f"The memory {where} is not as Inkling makes it: it has {', '.join(parts)}. Nothing was written.",
        remedy="Such things can change what is read and written. Ask whoever gave you the memory, take them out with a "
        "database tool if you know what they are, or fit it anew under another name.",
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into `MemoryFileError`; defects stay what they are."""
    try:
        yield
    except DBAPIError as error:
        raise _of_sqlite(error.orig, path) or error from error
    except sqlite3.Error as error:
        raise _of_sqlite(error, path) or error from error
    except OSError as error:
        raise _of_system(error, path) from error


def _of_sqlite(error: BaseException | None, path: Path) -> MemoryFileError | None:
    match getattr(error, "sqlite_errorname", "").split("_")[1:2]:
        case ["FULL"]:
            return _full(path)
        case ["BUSY" | "LOCKED"]:
            return _unchanged(
                path,
                "another process has been writing to it all the while",
                remedy="Wait until that has finished, then run the command again.",
            )
        case ["READONLY" | "CANTOPEN" | "PERM" | "AUTH"]:
            return _unchanged(
                path,
                f"SQLite cannot work there ({excerpt(error)})",
                remedy="Check the permissions, or copy the file and any -wal file of it to another folder.",
            )
        case ["IOERR"] if shutil.disk_usage(path.parent).free < ROOM_BYTES:
            return _full(path)
        case ["IOERR"]:
            return _unchanged(
                path, f"the disk reports an error ({excerpt(error)})", remedy="Check the disk and try again."
            )
        case ["CORRUPT" | "NOTADB" | "FORMAT"]:
            return damaged(path, excerpt(error))
    if any(sign in str(error) for sign in ("no such table", "no such column", "Could not decode")):
        return damaged(path, excerpt(error))
    return None


def _of_system(error: OSError, path: Path) -> MemoryFileError:
    if error.errno in _FULL:
        return _full(path)
    return _unchanged(path, excerpt(error), remedy="Check the disk and the permissions, then try again.")


def _full(path: Path) -> MemoryFileError:
    return _unchanged(path, "the disk is full", remedy="Free some space, or write the memory to another disk.")


def _unchanged(path: Path, cause: str, *, remedy: str) -> MemoryFileError:
    state = "is as it was before" if path.exists() else "was not written"
    return MemoryFileError(f"The memory {path} {state}: {cause}.", remedy=remedy)
