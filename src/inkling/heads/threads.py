"""How many threads decompose a matrix, and what is fitted at the same time. Results are the same to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from os import cpu_count
from typing import Any

SMALL_PROBLEM = 4_000_000
"""Numbers in X up to which one thread decomposes faster than several that wait for each other on a busy machine."""


def threads_for(size: int) -> AbstractContextManager[Any]:
    """One thread for X of up to `SMALL_PROBLEM` numbers, else as many as there are, while the context lasts."""
    from threadpoolctl import threadpool_limits

    limit: AbstractContextManager[Any] = threadpool_limits(1 if size <= SMALL_PROBLEM else None)
    return limit


def at_once(parts: Sequence[Callable[[], None]], *, size: int) -> None:
    """Do all parts of the work, such as folds: side by side where X is small, so that one thread decomposes.

    Parameters
    ----------
    size
        Numbers in X.
    """
    if size > SMALL_PROBLEM:
        for part in parts:
            part()
        return
    with ThreadPoolExecutor(cpu_count()) as threads:
        for done in [threads.submit(part) for part in parts]:
            done.result()
