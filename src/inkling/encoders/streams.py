"""Work spread over processor cores: one stream of images per core.

Streams that never wait for each other use several cores better than one matrix product that is shared among
them, above all when decoding or another program keeps one of the cores busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from inkling.encoders.per_process import PerProcess

Item = TypeVar("Item")
Result = TypeVar("Result")


class Streams:
    """Threads in each of which torch uses a single core. A forked child starts its own.

    Parameters
    ----------
    n_streams
        Number of threads.
    """

    def __init__(self, n_streams: int) -> None:
        self.n_streams = n_streams
        self._threads = PerProcess(partial(_Threads, n_streams))

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Results of a function on items, in order."""
        return list(self._threads.value.pool().map(function, items))


class _Threads:
    """A pool that is made when it is first used."""

    def __init__(self, n_streams: int) -> None:
        self._n_streams = n_streams
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = _single_core_pool(self._n_streams)
            return self._pool


def _single_core_pool(n_threads: int) -> ThreadPoolExecutor:
    import torch

    before = torch.get_num_threads()
    all_there = threading.Barrier(n_threads)
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="inkling-encode")
    for ready in [pool.submit(_use_one_core, all_there) for _ in range(n_threads)]:
        ready.result()
    # The number of a thread is its own, but torch also keeps the last one set for threads to come.
    torch.set_num_threads(before)
    return pool


def _use_one_core(all_there: threading.Barrier) -> None:
    import torch

    torch.get_num_threads()  # a thread's first look at the number would otherwise overwrite the one set here
    torch.set_num_threads(1)
    all_there.wait()
