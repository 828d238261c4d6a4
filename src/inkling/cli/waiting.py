"""How long the user has waited: from the start of the process, imports included."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/self/stat")
_STARTTIME = 19
"""Place of the start time among the fields that follow the program's name (proc_pid_stat(5), field 22)."""

_began = time.perf_counter()


def begin() -> None:
    """Count from the start of this process, or where the system doesn't tell it from the import of this module."""
    global _began
    _began = time.perf_counter() - _age_of_process()


def seconds_waited() -> float:
    """Seconds since then, to the hundredth."""
    return round(time.perf_counter() - _began, 2)


def _age_of_process() -> float:
    try:
        fields = _STAT.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        started = int(fields[_STARTTIME]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, AttributeError, ValueError, IndexError):
        return time.perf_counter() - _began
