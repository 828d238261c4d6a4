"""What the rooms and the libraries warn of, as notes: one plain line each, and each once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inkling.cli.console import note
from inkling.errors import SkippedImagesWarning

LOGGER = "inkling"


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print warnings and the records of our log without the file and line of the code that gave them."""
    told: set[str] = set()

    def tell(text: str) -> None:
        line = " ".join(text.split())
        if line not in told:
            told.add(line)
            note(f"Warning: {line}")

    logger, handler = logging.getLogger(LOGGER), _Handler(tell)
    with warnings.catch_warnings():
        # Verbs print which images they skip.
        warnings.filterwarnings("ignore", category=SkippedImagesWarning)
        warnings.showwarning = lambda message, *_, **__: tell(str(message))
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """As any handler does."""
        self._tell(record.getMessage())
