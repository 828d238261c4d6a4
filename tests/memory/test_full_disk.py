"""A full disk: the memory there can still be read, and what cannot be written is reported as that."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from inkling.errors import MemoryFileError
from inkling.memory.store import read_memory
from tests.memory.samples import assert_same, numbered, put


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("only root may mount a disk")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_memory_on_a_full_disk_is_read_and_what_is_written_is_refused(disk: Path) -> None:
    path = disk / "a.ink"
    put(path, numbered(1))
    fill(disk)
    for _ in range(2):
        assert_same(read_memory(path).content, numbered(1))
        with pytest.raises(MemoryFileError, match="the disk is full") as told:
            put(path, numbered(2))
        assert "Free some space" in str(told.value)
    (disk / "rest").unlink()
    assert put(path, numbered(2)) == 2
