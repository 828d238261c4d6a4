"""The memory that is left, by the files of Linux."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inkling.encoders.available_memory import available_bytes, require_memory
from inkling.errors import EncoderError

GB = 1_000_000_000


def write(folder: Path, *, limit: str = "max", used: int = GB, files: int = 0) -> dict[str, Path]:
    (folder / "meminfo").write_text(f"MemTotal: {16 * GB // 1024} kB\nMemAvailable:  {8 * GB // 1024} kB\n")
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {files}\nactive_file 0\n")
    return {"proc": folder, "cgroup": folder}


def test_without_a_limit_it_is_that_of_the_machine(tmp_path: Path) -> None:
    assert available_bytes(**write(tmp_path)) == 8 * GB // 1024 * 1024


def test_within_a_container_it_is_what_is_left_of_its_limit(tmp_path: Path) -> None:
    assert available_bytes(**write(tmp_path, limit=str(4 * GB), used=3 * GB, files=GB)) == 2 * GB


def test_a_system_that_says_nothing(tmp_path: Path) -> None:
    assert available_bytes(proc=tmp_path, cgroup=tmp_path) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells")
def test_this_machine_has_some_and_not_everything() -> None:
    require_memory(1000, purpose="A test")
    with pytest.raises(EncoderError, match=r"A test needs at least 1000000\.0 GB of memory; \d+\.\d GB are available"):
        require_memory(10**15, purpose="A test")
