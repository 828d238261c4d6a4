"""Files of earlier releases, and this release as if it were a later one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from inkling.memory import revisions, schema

NEXT_REVISION = '''
"""A later release: exemplars carry a weight, and paths get another name."""
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    op.add_column("exemplar", sa.Column("weight", sa.Double, nullable=False, server_default="1"))
    with op.batch_alter_table("class") as table:
        table.alter_column("position", type_=sa.BigInteger)
'''


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of release 1."""
    return _of_revision("0001", tmp_path / "old.ink")


@pytest.fixture
def schema_2(tmp_path: Path) -> Path:
    """A file of schema 0002: proposal 2 was renamed, merged with 1 into 3; a stream; a class was renamed."""
    return _of_revision("0002", tmp_path / "old.ink")


def _of_revision(revision: str, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(Path(__file__).with_name(f"revision_{revision}.sql").read_text(encoding="utf-8"))
    return path


def as_release(number: str, script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as a release whose last revision is this script."""
    shutil.copytree(revisions.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{number}_later.py").write_text(script)
    monkeypatch.setattr(revisions, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISION", number)


@pytest.fixture
def later_release(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were a release with one revision more."""
    as_release("0004", NEXT_REVISION, tmp_path_factory.mktemp("later") / "100% migrations", monkeypatch)
