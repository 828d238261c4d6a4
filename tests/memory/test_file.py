"""Files that are missing, foreign, broken or protected: refused in words, and left as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from inkling.errors import MemoryFileError
from inkling.memory.database import reading
from inkling.memory.read import read_content
from inkling.memory.store import check_target, read_memory
from tests.memory.samples import assert_whole, in_child, names_in, numbered, put
from tests.system import as_nobody


def refused(path: Path, *told: str) -> None:
    """Neither read nor written, for the reasons `told`; the file stays as it is."""
    before = path.read_bytes()
    for operation in (lambda: read_memory(path), lambda: put(path, numbered(2))):
        with pytest.raises(MemoryFileError) as caught:
            operation()
        assert caught.value.remedy
        for words in told:
            assert words in str(caught.value)
    assert path.read_bytes() == before
    assert names_in(path.parent) == [path.name]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A memory of some pages."""
    path = tmp_path / "vehicles.ink"
    put(path, numbered(1, images=500, dimension=64))
    return path


def test_a_missing_file_is_reported_with_its_neighbours(memory: Path) -> None:
    with pytest.raises(MemoryFileError, match=r"no memory at .*vehicle\.ink") as caught:
        read_memory(memory.with_name("vehicle.ink"))
    assert f"Did you mean {memory}?" in str(caught.value)


def test_a_missing_file_without_neighbours_is_reported_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(MemoryFileError, match="inkling fit"):
        read_memory(tmp_path / "no folder" / "a.ink")


def test_a_folder_is_no_memory(tmp_path: Path) -> None:
    for operation in (lambda: read_memory(tmp_path), lambda: put(tmp_path, numbered(1))):
        with pytest.raises(MemoryFileError, match="is a folder"):
            operation()


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MemoryFileError, match="mkdir -p"):
        put(tmp_path / "out" / "a.ink", numbered(1))


def test_a_target_is_refused_before_work_begins(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "out" / "a.ink", "mkdir -p"), (tmp_path, "is a folder")):
        with pytest.raises(MemoryFileError, match=told):
            check_target(path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(MemoryFileError, match="not an Inkling memory"):
        check_target(tmp_path / "notes.txt")


def test_a_target_may_be_new_or_a_memory(memory: Path) -> None:
    before = memory.read_bytes()
    held = check_target(memory, may_exist=True)
    assert held is not None
    assert (held.version, held.classes, held.images) == (1, 3, 1)
    with pytest.raises(MemoryFileError, match="would lose 3 classes of 1 image"):
        check_target(memory)
    assert check_target(memory.with_name("new.ink")) is None
    assert memory.read_bytes() == before
    assert names_in(memory.parent) == [memory.name]


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "it is empty"), (b"path,label\na.jpg,ant\n" * 9, "no SQLite file")]
)
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.ink"
    path.write_bytes(content)
    refused(path, "not an Inkling memory", told)


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE exemplar (id)")
    database.close()
    refused(path, "another program", "0x496e6b6c", "0x00000000")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_damaged(memory: Path, share: float) -> None:
    whole = memory.read_bytes()
    memory.write_bytes(whole[: max(60, int(len(whole) * share))])
    refused(memory, "is damaged")


def test_overwritten_pages_are_damage(memory: Path) -> None:
    whole = bytearray(memory.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 20_000] = b"\xa5" * 20_000
    memory.write_bytes(whole)
    refused(memory, "is damaged")


@pytest.mark.parametrize(
    ("sabotage", "told"),
    [
        ("DELETE FROM vector WHERE exemplar_id = 3", "exemplars and vectors of"),
        ("UPDATE vector SET data = x'00' WHERE exemplar_id = 3", "a vector is not of the 64"),
        ("UPDATE text_vector SET data = x'00'", "a vector is not of the 64"),
        ("UPDATE vector SET data = zeroblob(252 + 8 * (exemplar_id % 2))", "a vector is not of the 64"),
        (
            "INSERT INTO vector SELECT 9999, space_id, data FROM vector LIMIT 1",
            "a row of table 'vector' refers to",
        ),
        ("DELETE FROM class", "a row of table"),
        ("UPDATE head SET params = '{'", ""),
        ("UPDATE head SET arrays = x'00'", "arrays of the head are broken"),
        ("UPDATE prompt SET text = CAST(x'ff' AS TEXT)", "UTF-8"),
        ("DELETE FROM head", "'head' lacks a row"),
        ("DELETE FROM memory", "'memory' lacks a row"),
        ("DROP TABLE alias", "alias"),
        ("DELETE FROM alembic_version", "which schema"),
    ],
)
def test_rows_that_contradict_each_other_are_damage(memory: Path, sabotage: str, told: str) -> None:
    with sqlite3.connect(memory) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(sabotage)
    database.close()
    with pytest.raises(MemoryFileError, match="is damaged") as caught:
        read_memory(memory)
    assert told in str(caught.value)


def test_a_file_of_a_newer_release_is_refused(memory: Path) -> None:
    with sqlite3.connect(memory) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    refused(memory, "newer release", "9999", "pip install --upgrade")


def _protect(*paths: Path) -> None:
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_read_only_file_in_a_read_only_folder_is_read(public: Path) -> None:
    path = public / "a.ink"
    put(path, numbered(1))
    read_memory(path)
    _protect(path, public)
    stored = in_child(as_nobody, read_memory, path)
    assert stored.version == 1
    assert_whole(stored)
    assert names_in(public) == ["a.ink"]


def test_a_protected_file_is_not_written(public: Path) -> None:
    path = public / "a.ink"
    put(path, numbered(1))
    before = path.read_bytes()
    _protect(path, public)
    with pytest.raises(MemoryFileError, match="is read-only"):
        in_child(as_nobody, put, path, numbered(2))
    with pytest.raises(MemoryFileError, match="is read-only"):
        in_child(as_nobody, put, public / "b.ink", numbered(2))
    assert path.read_bytes() == before
    assert names_in(public) == ["a.ink"]


def test_a_protected_file_is_read_while_its_owner_writes(public: Path) -> None:
    path = public / "a.ink"
    put(path, numbered(1))
    with reading(path) as connection:
        read_content(connection)
        put(path, numbered(2))
        assert (public / "a.ink-wal").stat().st_size > 0
        _protect(path, public / "a.ink-wal", public / "a.ink-shm", public)
        stored = in_child(as_nobody, read_memory, path)
    assert stored.version == 2
    assert_whole(stored)


def test_a_protected_file_with_a_part_beside_it_is_not_read_by_half(public: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    with reading(path) as connection:
        read_content(connection)
        put(path, numbered(2))
        for name in ("a.ink", "a.ink-wal"):
            (public / name).write_bytes((tmp_path / name).read_bytes())
    _protect(public / "a.ink", public / "a.ink-wal", public)
    with pytest.raises(MemoryFileError, match=r"copy the file and any -wal file"):
        in_child(as_nobody, read_memory, public / "a.ink")
