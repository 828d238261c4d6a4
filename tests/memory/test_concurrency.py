"""Several processes at one file: writers take turns, readers see one version."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path
from typing import Any

import pytest

from inkling.errors import MemoryFileError
from inkling.memory import database as database_module
from inkling.memory.amend import amend
from inkling.memory.classes import rename_class
from inkling.memory.database import reading, writing
from inkling.memory.read import read_content
from inkling.memory.store import read_memory
from tests.memory.samples import FORK, assert_whole, names_in, numbered, put, write_for_ever

SIZE = {"images": 800, "dimension": 32}


def _write_at_once(path: Path, numbers: range) -> dict[int, int]:
    """Version that each number was given, one process per number, all starting together."""
    barrier = FORK.Barrier(len(numbers))
    versions: Any = FORK.Queue()

    def run(number: int) -> None:
        barrier.wait()
        versions.put((number, put(path, numbered(number, **SIZE))))

    writers = [FORK.Process(target=run, args=(number,)) for number in numbers]
    for writer in writers:
        writer.start()
    given = dict(versions.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join()
    return given


@pytest.mark.parametrize("exists", [False, True])
def test_writers_at_once_lose_nothing(tmp_path: Path, exists: bool) -> None:
    for attempt in range(5):
        path = tmp_path / f"{attempt}.ink"
        if exists:
            put(path, numbered(9))
        given = _write_at_once(path, range(1, 4))
        assert sorted(given.values()) == [1 + exists, 2 + exists, 3 + exists]
        stored = read_memory(path)
        assert_whole(stored, **SIZE)
        assert given[stored.content.provenance.seed] == stored.version == 3 + exists
        with sqlite3.connect(path) as database:
            history = database.execute("SELECT seed, version FROM provenance WHERE seed != 9").fetchall()
        database.close()
        assert dict(history) == given
    assert names_in(tmp_path) == [f"{attempt}.ink" for attempt in range(5)]


def test_a_reader_sees_its_version_while_a_writer_commits(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    with reading(path) as connection:
        assert read_content(connection).version == 1
        assert put(path, numbered(2)) == 2
        again = read_content(connection)
        assert read_memory(path).version == 2
    assert again.version == 1
    assert_whole(again)
    assert names_in(tmp_path) == ["a.ink"]


def test_what_stays_in_the_side_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    with reading(path) as connection:
        read_content(connection)
        with pytest.warns(RuntimeWarning, match="a part of it is still in a.ink-wal .somebody is reading"):
            amend(path, "rename", {}, lambda memory: rename_class(memory, 1, "other") or {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        put(path, numbered(2))
    assert names_in(tmp_path) == ["a.ink"]


def test_readers_beside_a_busy_writer_always_see_one_version(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1, **SIZE))
    writer = FORK.Process(target=write_for_ever, args=(path, SIZE))
    writer.start()
    try:
        seen: list[int] = []
        while len(set(seen)) < 5:
            stored = read_memory(path)
            assert_whole(stored, **SIZE)
            seen.append(stored.version)
    finally:
        writer.kill()
        writer.join()
    assert seen == sorted(seen)


def test_a_writer_that_never_ends_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.2)
    with writing(path), pytest.raises(MemoryFileError, match="another process has been writing"):
        put(path, numbered(2))
    assert read_memory(path).version == 1
