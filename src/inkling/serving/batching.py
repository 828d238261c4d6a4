"""Threads run the encoder: what several requests ask goes through them in batches, within a bounded queue."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

from inkling.errors import InklingError

T = TypeVar("T")

BATCH_SECONDS = 0.1
"""A batch is as large as to take so long, by what a picture took lately: whoever comes next waits no longer."""
LARGEST_BATCH = 32
LEAST_SECONDS = 1e-4
WEIGHT = 0.2
"""Of the latest batch in the running mean of the time for a picture."""


class BusyError(InklingError):
    """So much is waiting already that no more is taken."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Something that waits for the encoder.

    Attributes
    ----------
    what
        For the function that a thread calls with a batch of them.
    answer
        Becomes the answer, or the error.
    """

    what: Any
    answer: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class _Call:
    """A function that runs alone in a thread."""

    function: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future)


class EncoderThreads:
    """Run batches, and single functions between them, in the order in which they came.

    There is no waiting for a batch to fill: what has come while the encoder was busy is the next one.

    Parameters
    ----------
    run
        Called with a batch; it settles their answers.
    bound
        How much may wait.
    number
        Of threads: as many batches are run at once. An encoder of this process wants a single one.
    """

    def __init__(self, run: Callable[[Sequence[Asked]], None], *, bound: int, number: int = 1) -> None:
        self._run, self._bound = run, bound
        self._waiting: deque[Asked | _Call] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._seconds, self._largest = BATCH_SECONDS, LARGEST_BATCH
        self._idle = 0
        self._threads = [
            threading.Thread(target=self._work, name="inkling-encoder", daemon=True) for _ in range(number)
        ]

    def start(self) -> None:
        """Begin."""
        for one in self._threads:
            one.start()

    def close(self, last: Callable[[], None]) -> None:
        """Take no more, finish what is held, then do a last thing."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        for one in self._threads:
            if one.is_alive():
                one.join()
        last()

    def settle_largest(self, seconds: float) -> int:
        """How many pictures the largest batch has from now on, where one takes so many seconds by itself.

        An encoder that has run such a batch has all the memory it will ever ask for.
        """
        self._seconds, self._largest = seconds, _fitting(seconds)
        return self._largest

    @property
    def n_waiting(self) -> int:
        """How much waits now."""
        return len(self._waiting)

    def ask(self, what: Sequence[Any]) -> list[Future[Any]]:
        """Have all of it answered, or none.

        Raises
        ------
        BusyError
            If more would wait than the queue holds.
        """
        asked = [Asked(one) for one in what]
        with self._changed:
            if len(self._waiting) + len(asked) > self._bound:
                raise BusyError(
                    f"{len(self._waiting)} pictures are waiting; the queue holds {self._bound}.",
                    remedy="Ask again in a moment, with fewer pictures in a request.",
                )
            self._put(asked)
        return [one.answer for one in asked]

    def call(self, function: Callable[[], T]) -> T:
        """What a function returns that runs in one of the threads, between two batches. Blocks until then."""
        if threading.current_thread() in self._threads:
            return function()
        call = _Call(function)
        with self._changed:
            self._put([call])
        result: T = call.answer.result()
        return result

    def _put(self, some: Sequence[Asked | _Call]) -> None:
        if self._closing:
            raise BusyError("The service is about to end.", remedy="Ask the one that takes its place.")
        self._waiting.extend(some)
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._waiting and not self._closing:
                    self._changed.wait()
                self._idle -= 1
                if not self._waiting:
                    return
                batch = self._next()
            self._settle(batch)

    def _next(self) -> list[Asked] | _Call:
        first = self._waiting.popleft()
        if isinstance(first, _Call):
            return first
        batch = [first]
        # What waits is shared among the threads that have nothing to do.
        share = ceil((1 + len(self._waiting)) / (1 + self._idle))
        most = min(self._largest, share, _fitting(self._seconds))
        while self._waiting and len(batch) < most and isinstance(self._waiting[0], Asked):
            following = self._waiting.popleft()
            assert isinstance(following, Asked)
            batch.append(following)
        return batch

    def _settle(self, batch: list[Asked] | _Call) -> None:
        if isinstance(batch, _Call):
            _settle_call(batch)
            return
        wanted = [one for one in batch if one.answer.set_running_or_notify_cancel()]
        if not wanted:
            return
        begun = time.perf_counter()
        try:
            self._run(wanted)
        except Exception as error:  # whoever asked gets it, and the thread goes on
            for one in wanted:
                if not one.answer.done():
                    one.answer.set_exception(error)
        each = (time.perf_counter() - begun) / len(wanted)
        self._seconds = (1 - WEIGHT) * self._seconds + WEIGHT * each


def _fitting(seconds: float) -> int:
    """How many pictures of so many seconds each fit into a batch."""
    return min(LARGEST_BATCH, max(1, round(BATCH_SECONDS / max(seconds, LEAST_SECONDS))))


def _settle_call(call: _Call) -> None:
    try:
        call.answer.set_result(call.function())
    except BaseException as error:  # as above
        call.answer.set_exception(error)
