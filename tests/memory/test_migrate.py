"""Old files come forward: the migrations make what the tables say, and a file of release 1 is still used."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.script import ScriptDirectory

from inkling.errors import MemoryFileError
from inkling.memory import migrate, revisions, schema
from inkling.memory.amend import amend
from inkling.memory.backup import backup, copy_memory
from inkling.memory.classes import rename_class
from inkling.memory.content import MemoryContent, Provenance
from inkling.memory.database import transaction
from inkling.memory.events import list_events
from inkling.memory.place import place_of
from inkling.memory.pool import read_pool
from inkling.memory.proposals import list_proposals
from inkling.memory.store import read_memory
from inkling.memory.undo import undo
from inkling.memory.verify import verify
from inkling.types import ClassEntry, EncoderIdentity, Exemplar, HeadState
from tests.memory.conftest import NEXT_REVISION, as_release
from tests.memory.samples import assert_same, names_in, put

FAILING_REVISION = NEXT_REVISION + '    op.execute("INSERT INTO no_such_table VALUES (1)")\n'


def release_1() -> MemoryContent:
    """What is in the frozen file of release 1."""
    return MemoryContent(
        encoder=EncoderIdentity("openai/clip", "openai/clip", "5eed", 2, 1, 100.0, "float32"),
        classes=(
            ClassEntry("van", ("a van", "a photo of a van"), ("minibus",), np.array([0.6, 0.8], np.float32)),
            ClassEntry("caf\udce9", (), (), None),
        ),
        exemplars=(
            Exemplar("vans/1.jpg", "aa", "van", 0, b"\xff\xd8jpeg"),
            Exemplar("vans/1.jpg", "aa", "van", 1),
            Exemplar("caf\udce9/1.jpg", "bb", "caf\udce9"),
        ),
        vectors=np.array([[1, 0, 3], [0, 1, -0.5], [0.6, 0.8, 2]], np.float32),
        head=HeadState("gda", {"alpha": 0.5}, {"weights": np.array([[1.0, 2.0], [3.0, 4.0]])}),
        calibration={"temperature": 1.25},
        training={"candidates": ["zero-shot", "gda"]},
        provenance=Provenance("2025-01-31T12:00:00Z", "0.1.0", "inkling fit vans", 0, {"numpy": "2.0"}, "da7a"),
    )


def _query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(statement).fetchall()


def test_a_file_of_release_1_is_read(old: Path) -> None:
    stored = read_memory(old)
    assert stored.version == 2
    assert_same(stored.content, release_1())


def test_a_file_of_release_1_is_brought_forward_by_its_first_decision(old: Path) -> None:
    before = read_memory(old).content
    amend(old, "rename", {}, lambda memory: rename_class(memory, 1, "delivery van") or {})
    assert _query(old, "SELECT version_num FROM alembic_version") == [("0003",)]
    assert _query(old, "PRAGMA foreign_key_check") == []
    assert [entry.name for entry in read_memory(old).content.classes] == ["delivery van", "caf\udce9"]
    assert verify(old).replayed == (1,)
    undo(old)
    assert_same(read_memory(old).content, before)
    assert read_pool(old).images == ()


def test_a_file_of_schema_2_keeps_its_decisions_and_they_are_undone(schema_2: Path) -> None:
    (proposal,) = list_proposals(schema_2)
    assert (proposal.id, proposal.name, proposal.edited, proposal.finding.size) == (3, "fern", True, 12)
    undo(schema_2)
    assert read_pool(schema_2).stream is None, "it begins anew"
    assert _query(schema_2, "PRAGMA foreign_key_check") == []
    assert "upgrade" in [event.verb for event in list_events(schema_2)]
    verify(schema_2)
    undo(schema_2)
    assert [(one.id, one.edited) for one in list_proposals(schema_2)] == [(1, False), (2, True)]
    undo(schema_2)
    assert not any(one.edited for one in list_proposals(schema_2))
    verify(schema_2)


def test_an_old_file_is_read_as_it_is_and_left_as_it_is(old: Path, later_release: None) -> None:
    before = old.read_bytes()
    stored = read_memory(old)
    assert stored.version == 2
    assert_same(stored.content, release_1())
    assert old.read_bytes() == before
    assert names_in(old.parent) == ["old.ink"]


def test_an_old_file_is_brought_forward_when_it_is_opened_for_writing(old: Path, later_release: None) -> None:
    ids = _query(old, "SELECT id, name FROM class")
    migrate.bring_forward(place_of(old))
    assert _query(old, "SELECT version_num FROM alembic_version") == [("0004",)]
    assert _query(old, "SELECT DISTINCT weight FROM exemplar") == [(1.0,)]
    assert _query(old, "SELECT id, name FROM class") == ids
    assert _query(old, "PRAGMA foreign_key_check") == []
    assert_same(read_memory(old).content, release_1())


def test_an_old_file_is_written(old: Path, later_release: None) -> None:
    ids = _query(old, "SELECT id, name FROM class")
    assert put(old, release_1()) == 3
    assert _query(old, "SELECT version_num FROM alembic_version") == [("0004",)]
    assert _query(old, "SELECT id, name FROM class") == ids
    assert_same(read_memory(old).content, release_1())
    assert names_in(old.parent) == ["old.ink"]


def test_a_migration_that_fails_leaves_the_old_file(
    old: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        as_release("0004", FAILING_REVISION, tmp_path_factory.mktemp("later") / "migrations", patched)
        with pytest.raises(MemoryFileError, match="no_such_table"):
            put(old, release_1())
    assert _query(old, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert read_memory(old).version == 2
    assert names_in(old.parent) == ["old.ink"]


def test_a_file_of_a_later_release_is_refused_by_an_earlier_one(
    old: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        as_release("0004", NEXT_REVISION, tmp_path_factory.mktemp("later") / "migrations", patched)
        put(old, release_1())
    for operation in (lambda: read_memory(old), lambda: put(old, release_1())):
        with pytest.raises(MemoryFileError, match=r"newer release of Inkling .*0004.*0003"):
            operation()


def _structure(database: sqlite3.Connection) -> dict[str, object]:
    """Columns, keys and indexes of every table, however its statement is spelt."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        table: [
            sorted(map(repr, database.execute(f"PRAGMA {pragma}('{table}')").fetchall()))
            for pragma in ("table_xinfo", "foreign_key_list", "index_list")
        ]
        for table in tables
    } | {
        "constraints": sorted(
            word
            for (statement,) in database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            for word in statement.split()
            if word.startswith(("pk_", "fk_", "uq_", "ck_", "ix_", "AUTOINCREMENT"))
        )
    }


def test_the_migrations_make_the_tables_of_the_schema() -> None:
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as direct,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as migrated,
    ):
        with transaction(direct, begin="BEGIN") as connection:
            revisions.create_schema(connection)
        with transaction(migrated, begin="BEGIN") as connection:
            revisions.run_revisions(connection)
        assert _structure(migrated) == _structure(direct)


def test_the_schema_names_the_newest_revision() -> None:
    assert ScriptDirectory(str(revisions.MIGRATIONS)).get_current_head() == schema.REVISION


def test_a_memory_of_an_earlier_release_is_copied_and_verified(old: Path, tmp_path: Path) -> None:
    before = old.read_bytes()
    version = read_memory(old).version
    assert backup(old, tmp_path / "a.ink") == copy_memory(old, tmp_path / "b.ink").version == version
    assert verify(old) == verify(tmp_path / "a.ink") == verify(tmp_path / "b.ink")
    assert old.read_bytes() == before
