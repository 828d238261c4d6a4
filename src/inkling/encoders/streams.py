"""Work spread over processor cores: one stream of images per core.

Streams that never wait for each other use several cores better than one matrix product that is shared among
them, above all when decoding or another program keeps one of the cores busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Streams:
    """Threads in each of which torch uses a single core.

    Parameters
    ----------
    n_streams
        Number of threads.
    """

    def __init__(self, n_streams: int) -> None:
        import torch

        self.n_streams = n_streams
        before = torch.get_num_threads()
        all_there = threading.Barrier(n_streams)
        self._pool = ThreadPoolExecutor(n_streams, thread_name_prefix="inkling-encode")
        for ready in [self._pool.submit(_use_one_core, all_there) for _ in range(n_streams)]:
            ready.result()
        # The number of a thread is its own, but torch also keeps the last one set for threads to come.
        torch.set_num_threads(before)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Results of a function on items, in order."""
        return list(self._pool.map(function, items))


def _use_one_core(all_there: threading.Barrier) -> None:
    import torch

    torch.get_num_threads()  # a thread's first look at the number would otherwise overwrite the one set here
    torch.set_num_threads(1)
    all_there.wait()
