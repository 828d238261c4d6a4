"""What the surroundings refuse is reported by its name: full disks, readers that leave, folders that are gone."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from inkling.cli.border import READER_LEFT
from tests.cli.program import PROGRAM, Inkling
from tests.system import fill

FULL = Path("/dev/full")


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
    inkling: Inkling, drawn: Path, small_disk: Path, arguments: tuple[str, ...], named: str
) -> None:
    (inkling.folder / "test").symlink_to(drawn / "test")
    fill(small_disk)
    done = inkling(*arguments)
    done.refused(named)
    assert "Standard output" not in done.err
    assert "rrno" not in done.err
    assert [one.name for one in small_disk.rglob("*") if one.is_file()] == ["rest"]


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
    process = inkling.started(*arguments, stdout=writer)
    _, err = process.communicate(timeout=120)
    os.close(writer)
    assert (process.returncode, READER_LEFT) == (128 + signal.SIGPIPE, 128 + signal.SIGPIPE)
    assert err == ""


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
