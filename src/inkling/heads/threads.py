"""How many threads decompose a matrix. Only fitting asks: scoring has no matrix worth the question."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

SMALL_PROBLEM = 4_000_000
"""Numbers in X up to which one thread decomposes faster than several that wait for each other on a busy machine."""


def threads_for(size: int) -> AbstractContextManager[Any]:
    """One thread for X of up to `SMALL_PROBLEM` numbers, else as many as there are, while the context lasts."""
    from threadpoolctl import threadpool_limits

    limit: AbstractContextManager[Any] = threadpool_limits(1 if size <= SMALL_PROBLEM else None)
    return limit
