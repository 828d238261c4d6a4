"""What a process costs its user, from start to end: seconds on the clock, processor seconds, peak of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LAUNCH = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
took = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(took, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""A small process between: one that is forked from a large process counts that one's memory as its own."""


@dataclass(frozen=True)
class Cost:
    """Of one process.

    Attributes
    ----------
    wall
        Seconds from start to end.
    processor
        Processor seconds, of all threads together.
    peak
        Peak resident bytes.
    """

    wall: float
    processor: float
    peak: float


def cost(command: Sequence[str], place: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command in a folder; what it said stands in the error if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, *command],
        cwd=place,
        # pip compiles what it installs; a checkout is compiled at the first run, if nothing forbids it.
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""} | dict(environment or {}),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    wall, processor, peak = done.stdout.split()
    return Cost(float(wall), float(processor), int(peak) * (1 if sys.platform == "darwin" else 1024))


def cost_of(place: Path, *arguments: object, cache: Path | None = None) -> Cost:
    """What a run of the program costs."""
    command = [sys.executable, "-m", "inkling.cli.main", *map(str, arguments)]
    return cost(command, place, {"INKLING_CACHE": str(cache or place / "cache")})


def told_by(script: Path) -> dict[str, Any]:
    """What a script that runs in a process of its own prints as JSON."""
    done = subprocess.run([sys.executable, script], capture_output=True, check=True, text=True)
    return dict(json.loads(done.stdout))
