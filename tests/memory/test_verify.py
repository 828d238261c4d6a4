"""A memory checked against its log: what agrees passes, and whatever was tampered with is found."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from inkling.errors import MemoryFileError
from inkling.memory import events
from inkling.memory.amend import amend
from inkling.memory.classes import add_class, class_ids, remove_class, rename_class
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.events import list_events
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.undo import undo
from inkling.memory.verify import verify
from inkling.types import ClassEntry
from tests.memory.samples import FORK, names_in, numbered, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A memory with an undoable past: two classes added, one renamed, one taken out, one step taken back."""
    path = tmp_path / "a.ink"
    put(path, numbered(1))
    _pool(path, "x")
    add(path, "new")
    add(path, "newer")
    amend(path, "rename", {}, lambda memory: rename_class(memory, class_ids(memory.connection)["new"], "old") or {})
    undo(path)
    amend(path, "remove", {}, lambda memory: remove_class(memory, class_ids(memory.connection)["class 1.0"]) or {})
    return path


def add(path: Path, name: str) -> None:
    """An undoable event."""
    entry = ClassEntry(name, ("a prompt",), (), np.ones(4, np.float32))
    amend(path, "add", {"name": name}, lambda memory: {"id": add_class(memory, entry)})


def _pool(path: Path, key: str) -> None:
    observe(path, [PooledImage(f"{key}.jpg", key)], np.ones((1, 4), np.float32), fingerprint="f00d")
    write_proposals(path, [Finding((int(number),), 1, 0.5) for number in read_pool(path).ids])


def test_a_whole_memory_passes_and_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    found = verify(path)
    assert (found.version, found.events) == (8, 8)
    assert found.replayed == (8, 5, 4, 3, 2)
    assert path.read_bytes() == before
    assert names_in(path.parent) == ["a.ink"]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE vector SET data = zeroblob(16) WHERE exemplar_id = 3",
        "UPDATE class SET name = 'other' WHERE name = 'new'",
        "DELETE FROM text_vector WHERE class_id = (SELECT max(id) FROM class)",
        "UPDATE head SET calibration = '{}'",
        "UPDATE pooled SET state = 'accepted'",
        "UPDATE change SET before = NULL WHERE before IS NOT NULL",
        "UPDATE change SET blob = zeroblob(16) WHERE row_table = 'vector'",
        "UPDATE change SET after = 'ff' WHERE position = 0",
        "DELETE FROM change WHERE event_id = 4 AND position = 0",
        "DELETE FROM change WHERE event_id = 8 AND position = 0",
        "UPDATE event SET digest = '00' WHERE id = 4",
        "UPDATE event SET version = 3 WHERE id = 8",
        "UPDATE memory SET version = 3",
        "DELETE FROM event WHERE id = (SELECT max(id) FROM event)",
        "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'class'",
        "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'proposal'",
        "UPDATE sqlite_sequence SET seq = 'none' WHERE name = 'event'",
        "DELETE FROM sqlite_sequence WHERE name = 'exemplar'",
        "INSERT INTO sqlite_sequence SELECT name, seq + 9 FROM sqlite_sequence WHERE name = 'class'",
        "INSERT INTO statistics (space_id, head, arrays) SELECT id, 'some', 'nothing' FROM space",
    ],
)
def test_whatever_was_tampered_with_is_found(path: Path, tampering: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        try:
            assert database.execute(tampering).rowcount
        except sqlite3.IntegrityError:
            database.execute("DELETE FROM event WHERE version = 3")
            database.execute(tampering)
    with pytest.raises(MemoryFileError, match="is damaged"):
        verify(path)


def test_a_copy_that_a_killed_run_left_is_tidied_away(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    def killed() -> None:
        monkeypatch.setattr("inkling.memory.verify._verified", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        verify(path)

    child = FORK.Process(target=killed)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len(names_in(folder)) == 1
    verify(path)
    assert names_in(folder) == []


def test_what_was_observed_and_discovered_is_replayed_too(path: Path) -> None:
    for key in ("y", "z"):
        _pool(path, key)
    assert verify(path).replayed == (12, 11, 10, 9, 8, 5, 4, 3, 2)


def test_a_fit_begins_the_account_anew(path: Path) -> None:
    put(path, numbered(2))
    assert verify(path).replayed == ()
    assert [event.verb for event in list_events(path)][-1] == "fit"
    add(path, "newest")
    assert verify(path).replayed == (10,)


def test_old_inverses_are_let_go_and_the_latest_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT_BYTES", 40)
    add(path, "newest")
    assert verify(path).replayed == (9,)
    assert len(list_events(path)) == 9
    undo(path)
    assert verify(path).replayed == ()
