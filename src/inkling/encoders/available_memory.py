"""Memory that a process may still take, and whether weights fit into it: a machine that swaps or kills says nothing."""

from __future__ import annotations

from pathlib import Path

from inkling.errors import EncoderError

_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def require_memory(n_bytes: int, *, purpose: str) -> None:
    """Refuse to begin what can't be held.

    Parameters
    ----------
    n_bytes
        Least number of bytes that are needed.
    purpose
        What needs them, as the message begins.

    Raises
    ------
    EncoderError
        Says how much is needed and how much there is. Nothing happens where the system doesn't tell.
    """
    available = available_bytes()
    if available is not None and n_bytes > available:
        raise EncoderError(
            f"{purpose} needs at least {n_bytes / 1e9:.1f} GB of memory; {available / 1e9:.1f} GB are available.",
            remedy="Close other programs, take a smaller model, or a machine with more memory.",
        )


def available_bytes(*, proc: Path = _PROC, cgroup: Path = _CGROUP) -> int | None:
    """What a process may still take, in bytes: of the machine, and within the limit of its container; None where the
    system tells neither.

    Parameters
    ----------
    proc, cgroup
        Where Linux tells.
    """
    found = (_of_machine(proc / "meminfo"), _of_container(cgroup))
    return min((each for each in found if each is not None), default=None)


def _of_machine(meminfo: Path) -> int | None:
    kilobytes = _table(meminfo).get("MemAvailable:")
    return None if kilobytes is None else kilobytes * 1024


def _of_container(cgroup: Path) -> int | None:
    """Files that the kernel holds in memory are counted as used, and given back when they must be."""
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is None or used is None:
        return None
    held = _table(cgroup / "memory.stat")
    return limit - used + held.get("inactive_file", 0) + held.get("active_file", 0)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max": there is no limit
        return None


def _table(file: Path) -> dict[str, int]:
    try:
        rows = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
