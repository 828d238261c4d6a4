"""A copy of one moment, while others write."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from inkling.errors import InputError, MemoryFileError
from inkling.memory import place
from inkling.memory.backup import backup, copy_memory
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from tests.memory.samples import (
    FORK,
    assert_same,
    assert_whole,
    in_child,
    names_in,
    numbered,
    put,
    write_for_ever,
)
from tests.review.conftest import fit_and_pool
from tests.system import as_nobody

SIZE = {"images": 800, "dimension": 32}


def test_a_backup_is_the_memory(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    assert put(tmp_path / "a.ink", numbered(2)) == 2
    assert backup(tmp_path / "a.ink", tmp_path / "b.ink") == 2
    assert_same(read_memory(tmp_path / "b.ink").content, numbered(2))
    assert verify(tmp_path / "b.ink") == verify(tmp_path / "a.ink")
    assert put(tmp_path / "b.ink", numbered(3)) == 3
    assert names_in(tmp_path) == ["a.ink", "b.ink"]


def test_backups_beside_a_busy_writer_are_each_of_one_version(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1, **SIZE))
    writer = FORK.Process(target=write_for_ever, args=(path, SIZE))
    writer.start()
    try:
        versions: list[int] = []
        while len(set(versions)) < 4:
            versions.append(backup(path, tmp_path / f"{len(versions)}.ink"))
    finally:
        writer.kill()
        writer.join()
    for number, version in enumerate(versions):
        stored = read_memory(tmp_path / f"{number}.ink")
        assert stored.version == version == verify(tmp_path / f"{number}.ink").version
        assert_whole(stored, **SIZE)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    (tmp_path / "b.ink").write_text("mine")
    for target in (tmp_path / "b.ink", tmp_path / "a.ink", tmp_path):
        with pytest.raises(MemoryFileError, match="A copy replaces nothing"):
            backup(tmp_path / "a.ink", target)
    assert (tmp_path / "b.ink").read_text() == "mine"
    assert names_in(tmp_path) == ["a.ink", "b.ink"]


def test_a_folder_that_is_missing_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    with pytest.raises(MemoryFileError, match="mkdir -p"):
        backup(tmp_path / "a.ink", tmp_path / "no" / "b.ink")


def test_a_memory_that_may_only_be_read_is_copied(public: Path) -> None:
    put(public / "a.ink", numbered(1))
    (public / "a.ink").chmod(0o444)
    copies = public / "copies"
    copies.mkdir()
    copies.chmod(0o777)
    assert in_child(as_nobody, backup, public / "a.ink", copies / "b.ink") == 1
    assert_same(read_memory(copies / "b.ink").content, numbered(1))


def test_a_copy_has_the_digest_of_the_memory_and_is_undone_to_the_first_event(tmp_path: Path) -> None:
    path, target = tmp_path / "a.ink", tmp_path / "b.ink"
    fit_and_pool(path)
    first = Decisions(path).history()[-1].digest
    Decisions(path).merge([1, 2])
    copied = copy_memory(path, target)
    assert copied.digest == Decisions(path).history()[-1].digest == Decisions(target).history()[-1].digest
    assert copied.version == read_memory(target).version
    Decisions(target).undo()
    assert Decisions(target).history()[-1].digest == first


def test_a_copy_that_is_not_as_the_memory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the place loses a row on the way."""
    put(tmp_path / "a.ink", numbered(1))
    copy_file = place.copy_file

    def losing(connection: Connection, target: Path) -> None:
        copy_file(connection, target)
        with closing(sqlite3.connect(target)) as database, database:
            database.execute("DELETE FROM text_vector WHERE class_id = 1")

    monkeypatch.setattr(place, "copy_file", losing)
    with pytest.raises(MemoryFileError, match="Throw the copy away"):
        copy_memory(tmp_path / "a.ink", tmp_path / "b.ink")


def _flip_a_bit(path: Path) -> None:
    """In the row of the head."""
    with closing(sqlite3.connect(path)) as database, database:
        ((arrays,),) = database.execute("SELECT arrays FROM head").fetchall()
        database.execute("UPDATE head SET arrays = ?", (arrays[:-1] + bytes([arrays[-1] ^ 1]),))


@pytest.mark.parametrize("copied", [copy_memory, backup])
def test_a_memory_that_is_not_as_its_log_says_is_not_copied(copied: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    _flip_a_bit(path)
    with pytest.raises(MemoryFileError, match=r"does not hold what its log says.*Nothing was written") as told:
        copied(path, tmp_path / "b.ink")
    assert "inkling verify" in str(told.value.remedy)
    assert names_in(tmp_path) == ["a.ink"]
    with pytest.raises(MemoryFileError, match="damaged"):
        verify(path)


def test_what_is_nested_too_deeply_to_read_is_damage(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    with closing(sqlite3.connect(tmp_path / "a.ink")) as database, database:
        database.execute("UPDATE head SET params = ?", ("[" * 200_000,))
    with pytest.raises(MemoryFileError, match="damaged"):
        read_memory(tmp_path / "a.ink")


def test_a_memory_without_a_log_is_copied(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    with closing(sqlite3.connect(tmp_path / "a.ink")) as database, database:
        database.execute("DELETE FROM event")
    _flip_a_bit(tmp_path / "a.ink")
    assert copy_memory(tmp_path / "a.ink", tmp_path / "b.ink").version == 1


def test_a_backup_is_no_database(tmp_path: Path) -> None:
    put(tmp_path / "a.ink", numbered(1))
    with pytest.raises(InputError, match="A backup is a file"):
        backup(tmp_path / "a.ink", "postgresql://ada@db.example.org/vehicles")
    assert names_in(tmp_path) == ["a.ink"]
