"""What is safe to do again is done again, from what the memory holds by then. Nothing was written before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from inkling.errors import MemoryChangedError

T = TypeVar("T")

ATTEMPTS = 4
LONGEST_WAIT = 0.4
"""Seconds before the last attempt, at most; half as long before each earlier one."""


def retried(attempt: Callable[[bool], T]) -> T:
    """What an attempt returns, made again where the memory was changed meanwhile.

    Parameters
    ----------
    attempt
        Called with whether it is the last attempt, which must not fail for a change of the memory.
    """
    for number in range(ATTEMPTS - 1):
        try:
            return attempt(False)
        except MemoryChangedError:
            # Random, so that processes that met do not meet again.
            time.sleep(random.uniform(0, LONGEST_WAIT / 2 ** (ATTEMPTS - 2 - number)))
    return attempt(True)
