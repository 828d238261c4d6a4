"""Killed and out of space at any moment: the old memory or the new one, never half."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from inkling.errors import MemoryFileError
from inkling.memory.store import read_memory
from tests.memory.samples import FORK, assert_whole, names_in, numbered, put, write_for_ever
from tests.system import mounted_disk

KILLS = [12, pytest.param(40, marks=pytest.mark.thorough)]
SIZE = {"images": 1500, "dimension": 64}


def _kill_within(seconds: float, function: Callable[..., None], *args: object) -> None:
    child = FORK.Process(target=function, args=args)
    child.start()
    time.sleep(random.uniform(0.0, seconds))
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def _seconds_of(write: Callable[[], object]) -> float:
    began = time.perf_counter()
    write()
    return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.parametrize("kills", KILLS)
def test_kill_while_an_existing_memory_is_written(tmp_path: Path, kills: int) -> None:
    path = tmp_path / "a.ink"
    put(path, numbered(1, **SIZE))
    once = _seconds_of(lambda: put(path, numbered(2, **SIZE)))
    versions = [2]
    for _ in range(kills):
        _kill_within(3 * once, write_for_ever, path, SIZE)
        stored = read_memory(path)
        assert_whole(stored, **SIZE)
        assert stored.version == stored.content.provenance.seed >= versions[-1]
        assert names_in(tmp_path) == ["a.ink"]
        versions.append(stored.version)
    assert len(set(versions)) > 2, "no write ever came to its end, so nothing was tested"


def _write_new_for_ever(folder: Path) -> None:
    for number in range(10**6):
        put(folder / f"{os.getpid()}-{number}.ink", numbered(number, **SIZE))


@pytest.mark.slow
@pytest.mark.parametrize("kills", KILLS)
def test_kill_while_a_new_memory_is_written(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kills: int
) -> None:
    pace = tmp_path_factory.mktemp("pace")
    once = _seconds_of(lambda: put(tmp_path / "0.ink", numbered(0, **SIZE)))
    checked: set[str] = set()
    n_cut_off = 0
    for kill in range(kills):
        if kill % 10 == 5:  # a machine that has become busier since writes more slowly
            once = max(once, _seconds_of(partial(put, pace / f"{kill}.ink", numbered(0, **SIZE))))
        _kill_within(2 * once, _write_new_for_ever, tmp_path)
        n_cut_off += len(list(tmp_path.glob(".inkling-*.part")))
        for path in set(tmp_path.glob("*.ink")):
            if path.name not in checked:
                assert_whole(read_memory(path), **SIZE)
                checked.add(path.name)
    assert len(checked) > 1, "no write ever came to its end, so nothing was tested"
    assert n_cut_off, "no write was ever cut off, so nothing was tested"
    for path in tmp_path.glob("*.ink"):
        assert put(path, numbered(1)) == 2


@pytest.fixture
def disk_of_5_mb(tmp_path: Path) -> Iterator[Path]:
    with mounted_disk(tmp_path / "disk", megabytes=5) as disk:
        yield disk


def test_full_disk_while_a_new_memory_is_written(disk_of_5_mb: Path) -> None:
    with pytest.raises(MemoryFileError, match="was not written: the disk is full"):
        put(disk_of_5_mb / "a.ink", numbered(1, images=4000, dimension=512))
    assert names_in(disk_of_5_mb) == []


def test_full_disk_while_an_existing_memory_is_written(disk_of_5_mb: Path) -> None:
    path = disk_of_5_mb / "a.ink"
    put(path, numbered(1))
    with pytest.raises(MemoryFileError, match="is as it was before: the disk is full"):
        put(path, numbered(2, images=4000, dimension=512))
    assert names_in(disk_of_5_mb) == ["a.ink"]
    stored = read_memory(path)
    assert stored.version == 1
    assert_whole(stored)


def test_full_disk_when_the_new_version_is_already_safe(disk_of_5_mb: Path) -> None:
    path = disk_of_5_mb / "a.ink"
    size = {"images": 1200, "dimension": 512}
    put(path, numbered(1, dimension=512))
    with pytest.warns(RuntimeWarning, match="Keep the two files together"):
        assert put(path, numbered(2, **size)) == 2
    stored = read_memory(path)
    assert stored.version == 2
    assert_whole(stored, **size)
