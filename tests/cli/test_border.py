"""What the surroundings refuse is reported by its name: full disks, readers that leave, folders that are gone."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from inkling.cli.border import READER_LEFT
from tests.cli.program import PROGRAM, Inkling

FULL = Path("/dev/full")


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


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("demo", "--output", "disk/demo"), "disk/demo"),
        (("info", "drawn.ink", "--json", "disk/a.json"), "disk/a.json"),
        (("predict", "drawn.ink", "test", "--output", "disk/a.csv"), "disk/a.csv"),
        (("predict", "drawn.ink", "test", "--output", "disk/a.parquet"), "disk/a.parquet"),
        (("evaluate", "drawn.ink", "test", "--report", "disk/a.html"), "disk/a.html"),
        (("embed", "test", "--encoder", "sketch", "--output", "disk/a.npz"), "disk/a.npz"),
        (("embed", "test", "--encoder", "sketch", "--output", "disk/a.parquet"), "disk/a.parquet"),
        (("backup", "drawn.ink", "disk/a.ink"), "disk/a.ink"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_the_file_is_named_that_a_full_disk_refuses(
    inkling: Inkling, drawn: Path, disk: Path, arguments: tuple[str, ...], named: str
) -> None:
    (inkling.folder / "test").symlink_to(drawn / "test")
    fill(disk)
    done = inkling(*arguments)
    done.refused(named)
    assert "Standard output" not in done.err
    assert "rrno" not in done.err
    assert [one.name for one in disk.rglob("*") if one.is_file()] == ["rest"]


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    "arguments", [("encoders",), ("encoders", "--json", "-"), ("--version",), ("--help",), ("fit", "--help")]
)
def test_standard_output_is_named_where_it_is_full(inkling: Inkling, arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], env=inkling.environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Standard output cannot be written: No space left on device.\n")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="the system has no such signal")
@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "drawn.ink", "test", "--output", "-"),
        ("predict", "drawn.ink", "test", "--json", "-"),
        ("predict", "drawn.ink", "test"),
        ("encoders",),
        ("--help",),
        ("fit", "--help"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_a_reader_that_leaves_early_is_no_error(inkling: Inkling, drawn: Path, arguments: tuple[str, ...]) -> None:
    (inkling.folder / "test").symlink_to(drawn / "test")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=inkling.folder,
        env=inkling.environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, READER_LEFT) == (128 + signal.SIGPIPE, 128 + signal.SIGPIPE)
    assert done.stderr == ""


def test_a_folder_that_is_gone_is_no_defect(inkling: Inkling) -> None:
    here = inkling.folder / "gone"
    here.mkdir()
    run = f"cd '{here}' && rmdir '{here}' && exec \"$@\""
    done = subprocess.run(
        ["sh", "-c", run, "sh", *PROGRAM, "info", "a.ink"],
        env=inkling.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
