"""What tests need of the system: a disk that is soon full, and a user without rights."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534


@contextmanager
def mounted_disk(place: Path, *, megabytes: int) -> Iterator[Path]:
    """A disk of its own at a folder that is made for it; where none may be mounted, the test is skipped."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with suppress(OSError), (disk / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def as_nobody(function: Callable[..., Any], *args: Any) -> Any:
    """Call as a user without rights on what others own, in a process of its own: root may write everywhere."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    return function(*args)
