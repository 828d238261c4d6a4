"""Bring an older schema forward. Alembic is imported only where there is something to bring forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, select

from inkling.errors import MemoryFileError
from inkling.memory import schema
from inkling.memory.database import PAGE_BYTES, check_integrity, reading, transaction, writing
from inkling.memory.faults import damaged

MIGRATIONS = Path(__file__).parent / "migrations"


def create_schema(connection: Connection) -> None:
    """All tables at the newest revision, without Alembic."""
    schema.metadata.create_all(connection)
    connection.execute(schema.alembic_version.insert().values(version_num=schema.REVISION))


def bring_forward(path: Path) -> None:
    """Check the file, and give it the newest schema, in one transaction.

    Raises
    ------
    MemoryFileError
        If it is damaged, or a newer release wrote it.
    """
    with reading(path) as connection:
        check_integrity(connection, path)
    require_newest_schema(path)


def require_newest_schema(path: Path) -> None:
    """As `bring_forward`, without reading the whole file where its schema is the newest already."""
    with reading(path) as connection:
        if _revision(connection, path) == schema.REVISION:
            return
        check_integrity(connection, path)
    # Without foreign keys: to alter a table is to build it anew, and dropping the old one would cascade.
    with writing(path, foreign_keys=False) as connection:
        _upgrade(connection, path)


@contextmanager
def reading_current(path: Path, *, whole: bool = True) -> Iterator[Connection]:
    """Read transaction at the newest schema; a file that is older is read through a copy in main memory.

    Parameters
    ----------
    whole
        Check every page first. A part of a large memory is read sooner without.

    Raises
    ------
    MemoryFileError
        If a newer release wrote it.
    """
    with reading(path) as connection:
        if whole:
            check_integrity(connection, path)
        if _revision(connection, path) == schema.REVISION:
            yield connection
        else:
            with _migrated_copy(connection, path) as copy:
                yield copy


@contextmanager
def _migrated_copy(connection: Connection, path: Path) -> Iterator[Connection]:
    original = connection.connection.driver_connection
    assert isinstance(original, sqlite3.Connection)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        original.backup(copy)
        with transaction(copy, begin="BEGIN") as migrated:
            _upgrade(migrated, path)
            yield migrated


def _revision(connection: Connection, path: Path) -> str:
    revision = connection.execute(select(schema.alembic_version.c.version_num)).scalar()
    if revision is None:
        raise damaged(path, "it does not say which schema it has")
    return str(revision)


def _upgrade(connection: Connection, path: Path) -> None:
    from alembic.script import ScriptDirectory

    revision = _revision(connection, path)
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if revision not in known:
        raise MemoryFileError(
            f"The memory {path} was written by a newer release of Inkling "
            f"(its schema is {revision}, the newest known here is {schema.REVISION}).",
            remedy="Update with: pip install --upgrade inkling-vision",
        )
    run_revisions(connection)
    check_integrity(connection, path)


def run_revisions(connection: Connection) -> None:
    """Run all revisions that the database has not had, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, schema.REVISION)
