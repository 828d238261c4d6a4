"""A copy of a memory of one moment, while others use it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from inkling.errors import MemoryFileError
from inkling.memory.faults import explained
from inkling.memory.file import appearing, require_writable
from inkling.memory.opened import seeing
from inkling.memory.read import version_of


def backup(path: str | Path, target: str | Path) -> int:
    """Copy a memory as it is at this moment; writers and readers go on. The copy appears whole or not at all.

    Parameters
    ----------
    path
        The memory.
    target
        A new file.

    Returns
    -------
    int
        The version that was copied.

    Raises
    ------
    MemoryFileError
        If the memory cannot be read, or there is something at the target.
    """
    target = Path(target).resolve()
    with seeing(path, whole=True) as connection, explained(target):
        _require_free(target)
        require_writable(target)
        try:
            with appearing(target) as partial:
                copied(connection, partial)
        except FileExistsError:
            _require_free(target)
        return version_of(connection)


def copied(connection: Connection, target: Path) -> None:
    """Write all that a read transaction sees to a new file, page by page."""
    original = connection.connection.driver_connection
    assert isinstance(original, sqlite3.Connection)
    with closing(sqlite3.connect(target)) as copy:
        original.backup(copy)


def _require_free(target: Path) -> None:
    if target.exists():
        raise MemoryFileError(
            f"There is something at {target} already.", remedy="A backup replaces nothing; name another file."
        )
