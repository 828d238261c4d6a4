"""The schema of each release: made at once, or by running the revisions one after another."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from inkling.memory import schema

MIGRATIONS = Path(__file__).parent / "migrations"


def create_schema(connection: Connection) -> None:
    """All tables at the newest revision, without Alembic."""
    schema.metadata.create_all(connection, checkfirst=False)
    connection.execute(schema.alembic_version.insert().values(version_num=schema.REVISION))


def known_revisions() -> set[str]:
    """Names of all revisions up to the newest."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def run_revisions(connection: Connection, *, to: str | None = None) -> None:
    """Run the revisions that the database has not had, within the connection's transaction.

    Parameters
    ----------
    to
        The last one to run; the newest if None.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, to or schema.REVISION)
