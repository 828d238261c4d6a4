"""A memory of one moment in another place, while others use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from inkling.errors import InputError, MemoryFileError
from inkling.memory.copies import count_rows
from inkling.memory.digest import digest_text, state_digest
from inkling.memory.events import latest_digest
from inkling.memory.opened import seeing
from inkling.memory.place import FilePlace, Place, place_of
from inkling.memory.read import version_of


@dataclass(frozen=True)
class Copied:
    """A copy, and that it holds what the memory held.

    Attributes
    ----------
    version
        Of the memory when it was copied.
    digest
        Of all that it holds; the copy's is the same.
    rows
        Of all tables.
    """

    version: int
    digest: str
    rows: int


def backup(path: str | Path, target: str | Path) -> int:
    """Copy a memory to a new file as it is at this moment; writers and readers go on.

    The copy appears whole or not at all.

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
    InputError
        If the target is a URL.
    MemoryFileError
        If the memory cannot be read or does not hold what its log says, or there is something at the target.
    """
    place = place_of(target)
    if not isinstance(place, FilePlace):
        raise InputError(
            f"A backup is a file, and {place} is a database.",
            remedy="Name a file, or copy the memory there with inkling copy, in Python copy_memory(memory, url).",
        )
    with seeing(path, whole=True) as connection:
        source = place_of(path)
        _require_copyable(connection, source, place)
        _sound_digest(connection, source)
        _copied(connection, place)
        return version_of(connection)


def copy_memory(source: str | Path, target: str | Path) -> Copied:
    """Copy a memory as it is at this moment to a new file or an empty PostgreSQL database, all of it.

    Classes, exemplars, head, pool, proposals, log, and what `undo` needs go along, so the copy goes on as the memory
    would have. The memory must hold what its log says. The copy appears whole or not at all, and its digest is compared
    with that of the memory.

    Parameters
    ----------
    source
        A memory: a file, or the URL of a PostgreSQL database.
    target
        A new file, or the URL of a database that holds no memory.

    Returns
    -------
    Copied
        What was copied.

    Raises
    ------
    MemoryFileError
        If the memory cannot be read or does not hold what its log says, there is something at the target, or the copy
        is not as the memory.

    Examples
    --------
    >>> copy_memory("vehicles.ink", "postgresql://ada@db.example.org/vehicles")  # doctest: +SKIP
    Copied(version=7, digest='5d0c...', rows=1204)
    """
    with seeing(source, whole=True) as connection:
        origin, place = place_of(source), place_of(target)
        _require_copyable(connection, origin, place)
        digest, rows = _sound_digest(connection, origin), count_rows(connection)
        _copied(connection, place)
        with seeing(target) as copy:
            found = state_digest(copy), count_rows(copy)
        if found != (digest, rows):
            raise MemoryFileError(
                f"The copy at {place} is not as the memory {place_of(source)}: {found[1]} rows with the digest "
                f"{digest_text(found[0])}, where {rows} with {digest_text(digest)} were read.",
                remedy="Throw the copy away, and check the memory with inkling verify, in Python verify(memory).",
            )
        return Copied(version_of(connection), digest_text(digest), rows)


def _sound_digest(connection: Connection, place: Place) -> int:
    """Digest of all that a memory holds, which must be the one that its log has, where anything was logged."""
    digest = state_digest(connection)
    if latest_digest(connection) not in (None, digest):
        raise MemoryFileError(
            f"The memory {place} does not hold what its log says: it is damaged, or was changed by something else than "
            "Inkling. Nothing was written.",
            remedy="Check it with inkling verify, in Python verify(memory), and copy a sound one, such as a backup.",
        )
    return digest


def _require_copyable(connection: Connection, source: Place, target: Place) -> None:
    """What does not take all of the memory to see."""
    source.check_schema(connection)
    with target.explained():
        target.require_writable()
        if target.exists():
            raise _occupied(target)


def _copied(connection: Connection, target: Place) -> None:
    with target.explained():
        try:
            target.create_copy(connection)
        except FileExistsError:
            raise _occupied(target) from None


def _occupied(target: Place) -> MemoryFileError:
    return MemoryFileError(
        f"There is something at {target} already.",
        remedy="A copy replaces nothing; name another file, or a database without a memory.",
    )
