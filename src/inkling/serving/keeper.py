"""Keeps a service up to date while nobody asks: each request reads the version anyway, this spares it the loading."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inkling.memory.following import Followed

SECONDS = 0.5
"""Between two looks at a memory that does not tell of changes by itself."""


class Keeper:
    """A thread that waits for changes of a memory.

    Parameters
    ----------
    memory
        The file, or the URL of a PostgreSQL database.
    keep_up
        Called when it may have changed. What it raises is left to the next request, which meets the same.
    """

    def __init__(self, memory: str, keep_up: Callable[[], object]) -> None:
        self._followed, self._keep_up = Followed(memory), keep_up
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="inkling-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a look that is in progress ends by itself."""
        self._closing.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._followed.wait(SECONDS)
                if not self._closing.is_set():
                    self._keep_up()
            except Exception:  # whatever it is, the next request meets and tells it
                self._closing.wait(SECONDS)
        self._followed.close()
