"""Which files this process has open as databases, by all of its threads.

The system lets go of all locks that a process has on a file when it closes any descriptor of that file (POSIX). A file
that is opened for its header alone, and closed again, would take away the locks of a connection in another thread; then
another process could remove the side file that this one still writes to, and what is written there is lost.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = threading.Lock()
_OPEN: Counter[tuple[int, int]] = Counter()

FileKey = tuple[int, int]


def _key(path: Path) -> FileKey | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def held(path: Path) -> Iterator[None]:
    """For as long as a file is open as a database."""
    with _LOCK:
        key = _key(path)
        if key is not None:
            _OPEN[key] += 1
    try:
        yield
    finally:
        if key is not None:
            with _LOCK:
                _OPEN[key] -= 1
                if not _OPEN[key]:
                    del _OPEN[key]


@contextmanager
def unless_held(path: Path) -> Iterator[bool]:
    """Whether no connection has the file open; none is opened within the block."""
    with _LOCK:
        yield _key(path) not in _OPEN
