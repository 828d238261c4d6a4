"""Warnings are notes of one plain line each, told once, whichever room or library gives them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.program import Inkling


def lines(told: str, sign: str) -> list[str]:
    return [line for line in told.splitlines() if sign in line]


def test_a_cache_that_cannot_be_used_is_reported_in_one_line(inkling: Inkling, memory: Path, drawn: Path) -> None:
    (inkling.folder / "file").write_text("mine")
    without = Inkling(inkling.folder, inkling.folder / "file")
    for arguments in (
        ("predict", memory, drawn / "test"),
        ("fit", drawn / "train", "--memory", "n.ink", "--encoder", "sketch", "--vocabulary", "nouns"),
        ("evaluate", memory, drawn / "test"),
    ):
        done = without(*arguments)
        assert done.code == 0, done.err
        (told,) = lines(done.err, "is a file")
        assert told.startswith("Warning: The embedding cache")
        assert "Errno" not in done.err


def test_a_part_that_stays_in_the_side_file_is_reported_without_the_place_in_the_code(
    inkling: Inkling, memory: Path
) -> None:
    from sqlalchemy import text

    from inkling.memory.opened import seeing

    with seeing(memory) as connection:
        connection.execute(text("SELECT count(*) FROM memory")).all()
        done = inkling("rename", memory, "car", "automobile")
    assert done.code == 0, done.err
    (told,) = lines(done.err, "-wal")
    assert told.startswith("Warning: The new version of")
    assert ".py" not in done.err


def test_what_does_not_belong_in_a_memory_is_reported_wherever_it_is_read(
    inkling: Inkling, memory: Path, drawn: Path
) -> None:
    with closing(sqlite3.connect(memory)) as database, database:
        database.execute("CREATE TRIGGER evil AFTER INSERT ON event BEGIN DELETE FROM vector; END")
    for arguments in (("info", memory), ("predict", memory, drawn / "test"), ("history", memory), ("classes", memory)):
        done = inkling.here(*arguments)
        assert done.code == 0, done.err
        (told,) = lines(done.err, "evil")
        assert told.startswith("Warning: The memory")
    inkling.here("verify", memory).refused("evil")
    assert not list(inkling.folder.glob("*-wal")) + list(inkling.folder.glob("*-shm"))


def test_a_text_that_is_cut_is_reported(inkling: Inkling, drawn: Path) -> None:
    long = "a photo of a {} " + "that is very long " * 30
    done = inkling("fit", drawn / "train", "--memory", "n.ink", "--encoder", "sketch", "--templates", long)
    assert done.code == 0, done.err
    assert lines(done.err, "tokens that the encoder reads were cut there")[0].startswith("Warning: 3 texts longer")
    assert "UserWarning" not in done.err
