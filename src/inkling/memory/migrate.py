"""Bring an older schema forward. Alembic is imported only where there is something to bring forward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from inkling.errors import MemoryFileError
from inkling.memory import schema
from inkling.memory.faults import damaged
from inkling.memory.place import Place
from inkling.memory.revisions import known_revisions, run_revisions


def bring_forward(place: Place) -> None:
    """Check a memory, and give it the newest schema, in one transaction.

    Raises
    ------
    MemoryFileError
        If it is damaged, or a newer release wrote it.
    """
    with place.reading() as connection:
        place.check_integrity(connection)
    require_newest_schema(place)


def require_newest_schema(place: Place) -> None:
    """As `bring_forward`, without reading the whole memory where its schema is the newest already."""
    with place.reading() as connection:
        if _revision(connection, place) == schema.REVISION:
            return
        place.check_integrity(connection)
    with place.altering() as connection:
        _upgrade(connection, place)


@contextmanager
def reading_current(place: Place, *, whole: bool = True) -> Iterator[Connection]:
    """Read transaction at the newest schema; one that is older is read through a copy.

    Parameters
    ----------
    whole
        Check every page first. A part of a large memory is read sooner without.

    Raises
    ------
    MemoryFileError
        If a newer release wrote it.
    """
    with place.reading() as connection:
        if whole:
            place.check_integrity(connection)
        if _revision(connection, place) == schema.REVISION:
            yield connection
        else:
            with place.copy_to_alter(connection) as copy:
                _upgrade(copy, place)
                yield copy


def _revision(connection: Connection, place: Place) -> str:
    revision = connection.execute(select(schema.alembic_version.c.version_num)).scalar()
    if revision is None:
        raise damaged(place, "it does not say which schema it has")
    return str(revision)


def _upgrade(connection: Connection, place: Place) -> None:
    revision = _revision(connection, place)
    if revision not in known_revisions():
        raise MemoryFileError(
            f"The memory {place} was written by a newer release of Inkling "
            f"(its schema is {revision}, the newest known here is {schema.REVISION}).",
            remedy="Update with: pip install --upgrade inkling-vision",
        )
    place.check_schema(connection, revision=revision)
    run_revisions(connection)
    place.check_integrity(connection)
