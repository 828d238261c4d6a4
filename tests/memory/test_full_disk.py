"""A full disk: the memory there can still be read, and what cannot be written is reported as that."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.errors import MemoryFileError
from inkling.memory.store import read_memory
from tests.memory.samples import assert_same, numbered, put
from tests.system import fill


def test_a_memory_on_a_full_disk_is_read_and_what_is_written_is_refused(small_disk: Path) -> None:
    path = small_disk / "a.ink"
    put(path, numbered(1))
    fill(small_disk)
    for _ in range(2):
        assert_same(read_memory(path).content, numbered(1))
        with pytest.raises(MemoryFileError, match="the disk is full") as told:
            put(path, numbered(2))
        assert "Free some space" in str(told.value)
    (small_disk / "rest").unlink()
    assert put(path, numbered(2)) == 2
