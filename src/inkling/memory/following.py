"""A memory that is followed: its state is read before each use, so that what others write is known at once."""

from __future__ import annotations

from pathlib import Path

from inkling.memory.place import place_of


class Followed:
    """Tells again and again, at little cost, whether a memory is still the same. For one thread at a time.

    Parameters
    ----------
    path
        The memory: a file, or the URL of a PostgreSQL database.
    """

    def __init__(self, path: str | Path) -> None:
        self._place = place_of(path)
        self._kept = self._place.following()

    def state(self) -> tuple[int, ...]:
        """What is equal as long as the memory is the same: its version, and of a file which one it is.

        Raises
        ------
        MemoryFileError
            If the memory is gone or cannot be read.
        """
        with self._place.explained():
            return self._kept.state()

    def wait(self, seconds: float) -> None:
        """Return as soon as the memory may have changed, after so many seconds at the latest.

        A server tells of it at once. Whoever writes to a file tells nobody, so that is the whole time.

        Raises
        ------
        MemoryFileError
            If the memory cannot be reached.
        """
        with self._place.explained():
            self._kept.wait(seconds)

    def close(self) -> None:
        """Let the memory go."""
        self._kept.close()
