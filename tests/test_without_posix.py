"""Nothing forbids Windows: what only POSIX has is taken away, and the program still works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkling.images import listing, sources
from inkling.images.sources import find_images
from inkling.sketch import write_dataset

ROOT = Path(__file__).parents[1]

WITHOUT = """
import errno, os, signal, sys
for name in ("fork", "forkpty", "link", "register_at_fork", "sched_getaffinity", "getuid", "geteuid", "mkfifo"):
    if hasattr(os, name):
        delattr(os, name)
del errno.EDQUOT
for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1"):
    delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
from inkling.cli.main import app
for arguments in (
    ["fit", "train", "--memory", "m.ink", "--encoder", "sketch"],
    ["predict", "m.ink", "train", "--output", "out.csv"],
    ["rename", "m.ink", "car", "auto"],
    ["undo", "m.ink"],
    ["verify", "m.ink"],
    ["backup", "m.ink", "copy.ink"],
    ["cache", "info"],
):
    app(arguments, standalone_mode=False)
print("done")
"""


@pytest.mark.slow
def test_the_program_needs_nothing_that_only_posix_has(tmp_path: Path) -> None:
    write_dataset(tmp_path / "train", ("car", "tree"), 4, seed=1)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "INKLING_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("done")


def test_folders_without_inodes_are_no_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "1.png").write_bytes(b"")
    stat = Path.stat

    def without_inode(path: Path, **options: bool) -> os.stat_result:
        found = list(stat(path, **options))
        found[1] = 0
        return os.stat_result(found)

    monkeypatch.setattr(listing.Path, "stat", without_inode)
    assert len(find_images(tmp_path).records) == 1


def test_on_windows_paths_of_tables_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_ON_WINDOWS", True)
    path = tmp_path / "t.csv"
    path.write_text("path\nC:\\data\\1.png\na\\2.png\n")
    assert [record.path.removeprefix(f"{tmp_path}/") for record in find_images(path).records] == [
        "C:\\data\\1.png",
        "a\\2.png",
    ]
