"""A memory opened for one transaction: to be read at one version, or to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from numpy.linalg import LinAlgError
from sqlalchemy import Connection

from inkling.errors import InklingError, MemoryChangedError
from inkling.memory.faults import damaged
from inkling.memory.migrate import reading_current, require_newest_schema
from inkling.memory.place import Place, place_of
from inkling.memory.read import version_of


@contextmanager
def seeing(path: str | Path, *, whole: bool = False) -> Iterator[Connection]:
    """One read transaction: all that is read is of one version. The file is not changed, and may be read-only.

    Parameters
    ----------
    path
        An existing memory: a file, or the URL of a PostgreSQL database.
    whole
        Check the structure of the whole file first.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    place = place_of(path)
    with place.explained():
        place.require_memory()
        with reading_current(place, whole=whole) as connection, _consistent(place):
            yield connection


@contextmanager
def changing(path: str | Path, *, version: int | None = None) -> Iterator[Connection]:
    """One transaction that may write; other writers wait, readers see what was there before.

    Parameters
    ----------
    path
        An existing memory, as for `seeing`; its schema is brought forward if it is an older one.
    version
        The version that the memory must still have.

    Raises
    ------
    MemoryFileError
        As for `seeing`, and if the memory cannot be written or has another version.
    """
    place = place_of(path)
    with place.explained():
        place.require_writable()
        place.require_memory()
        require_newest_schema(place)
        with place.writing() as connection, _consistent(place):
            require_version(connection, place, version)
            yield connection


@contextmanager
def _consistent(place: Place) -> Iterator[None]:
    """Rows that contradict each other, told as damage."""
    try:
        yield
    except (InklingError, LinAlgError):  # the latter comes of computing with rows that are sound
        raise
    except (ValueError, RecursionError) as error:
        raise damaged(place, str(error)) from error


def require_version(connection: Connection, place: Place, version: int | None) -> None:
    """Make sure that the memory still has a version; None for any.

    Raises
    ------
    MemoryChangedError
        If it has another.
    """
    found = version_of(connection)
    if version is not None and found != version:
        raise MemoryChangedError(
            f"The memory {place} was changed meanwhile: it has version {found}, and this began with {version}.",
            remedy="Run it again, so that nothing is lost of what was written.",
        )
