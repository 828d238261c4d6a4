"""Processes that encode for a service. One that dies or hangs is replaced, and what it was asked is asked again."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling import errors
from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.errors import EncoderError, InklingError, MemoryChangedError
from inkling.serving.forwarding import ForwardingEncoder, each_part
from inkling.serving.frames import receive, send
from inkling.serving.worker import DEFECT, IMAGES, TEXTS
from inkling.types import EncoderIdentity

COMMAND = (sys.executable, "-m", "inkling.serving.worker")
ATTEMPTS = 3
"""So many processes may die of a batch; then it is refused, before it ends those of all others."""
LONGEST_WAIT = 60
"""Seconds for a process to be free."""
LONGEST_BATCH = 120.0
"""Seconds that a process may take for a batch; then it hangs, and is ended."""
PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a process is started, by how many ended before they were ready; the last for all further ones."""
END_SECONDS = 5.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class EndedError(Exception):
    """The process has ended.

    Parameters
    ----------
    had_it
        Whether it had taken what it was asked, and so may have died of it.
    """

    def __init__(self, *, had_it: bool) -> None:
        super().__init__()
        self.had_it = had_it


class Worker:
    """One process.

    Parameters
    ----------
    order
        Which encoder it opens.
    threads
        How many cores it uses.
    """

    def __init__(self, order: Mapping[str, Any], *, threads: int) -> None:
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._order = order
        self.is_ready = False

    def warm_up(self) -> None:
        """Return when it is ready.

        Raises
        ------
        EndedError
            If it ends before.
        InklingError
            If it cannot open the encoder.
        """
        self.ask(self._order, ())
        self.is_ready = True

    def ask(self, told: Mapping[str, Any], arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Its answer. By one thread at a time.

        Raises
        ------
        EndedError
            If the process has ended.
        InklingError
            As the encoder raised it.
        """
        assert self.process.stdin is not None, "it was opened with pipes"
        assert self.process.stdout is not None, "it was opened with pipes"
        has_it = False
        try:
            send(self.process.stdin, told, arrays)
            has_it = True
            answer, found = receive(self.process.stdout)
        except (EOFError, OSError, ValueError) as error:  # the last: the pipe was closed, or broke within a number
            self.is_ready = False
            raise EndedError(had_it=has_it) from error
        if "error" in answer:
            raise _error(answer)
        return found

    def end(self) -> None:
        """Have it end, after what it is asked now."""
        assert self.process.stdin is not None, "it was opened with pipes"
        with suppress(OSError):  # it has ended
            self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers:
    """So many processes, each with the encoder and its share of the cores.

    Parameters
    ----------
    identity
        Of the encoder.
    source
        Where it is now.
    device
        Where it computes.
    number
        Of processes.
    """

    def __init__(self, identity: EncoderIdentity, source: str, *, device: str, number: int) -> None:
        self._order = {"identity": asdict(identity), "source": source, "device": device}
        self._number = number
        self._threads = max(1, (os.cpu_count() or 1) // number)
        self._free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._living: dict[int, Worker] = {}
        self._closing = threading.Event()
        self._started = False
        self.replaced = 0

    @property
    def live(self) -> int:
        """How many are ready now."""
        with self._lock:
            return sum(one.is_ready for one in self._living.values())

    def start(self) -> None:
        """Start all, and return when all are ready. Does nothing where they were started.

        Raises
        ------
        InklingError
            If one cannot be; then none is left.
        """
        if self._started:
            return
        self._started = True
        first: queue.SimpleQueue[InklingError | None] = queue.SimpleQueue()
        for place in range(self._number):
            keeper = threading.Thread(
                target=self._keep, args=(place, first), name=f"inkling-worker-{place}", daemon=True
            )
            keeper.start()
        for _ in range(self._number):
            error = first.get()
            if error is not None:
                self.close()
                raise error

    def ask(self, told: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> list[NDArray[Any]]:
        """The answer of whichever is free.

        Raises
        ------
        EncoderError
            If none becomes free in time, or it is too much for several of them.
        InklingError
            As the encoder raised it.
        """
        deaths = 0
        while deaths < ATTEMPTS:
            worker = self._taken()
            hangs = threading.Timer(LONGEST_BATCH, worker.process.kill)
            hangs.daemon = True
            hangs.start()
            try:
                return worker.ask(told, arrays)
            except EndedError as error:
                deaths += error.had_it
            finally:
                hangs.cancel()
                self._free.put(worker)  # one that has ended is passed over
        raise EncoderError(
            f"{ATTEMPTS} encoder processes ended at this batch of pictures.",
            remedy="Send smaller pictures, or fewer in a request; see whether the machine has memory left.",
        )

    def close(self) -> None:
        """End them all."""
        with self._lock:
            self._closing.set()
            living = [*self._living.values()]
        for one in living:
            one.end()

    def _taken(self) -> Worker:
        for _ in range(LONGEST_WAIT):
            if self._closing.is_set():
                raise MemoryChangedError("The memory has another encoder since a moment ago.", remedy="Ask again.")
            with suppress(queue.Empty):
                worker = self._free.get(timeout=1.0)
                if worker.is_ready:
                    return worker
        raise EncoderError("No encoder process is ready.", remedy="Ask again in a moment.")

    def _keep(self, place: int, first: queue.SimpleQueue[InklingError | None]) -> None:
        """A process in this place, and another one when it has ended."""
        failures = 0
        was_ready = False
        while not self._closing.wait(PAUSES[min(failures, len(PAUSES) - 1)]):
            worker = self._begun(place)
            if worker is None:
                return
            try:
                worker.warm_up()
            except (EndedError, InklingError, RuntimeError) as error:
                worker.end()
                failures += 1
                if not was_ready:
                    first.put(_as_ours(error))
                    return
                continue
            failures = 0
            self._free.put(worker)
            if not was_ready:
                was_ready = True
                first.put(None)
            worker.process.wait()
            worker.is_ready = False
            self.replaced += not self._closing.is_set()

    def _begun(self, place: int) -> Worker | None:
        with self._lock:  # `close` sees it, or it is not begun
            if self._closing.is_set():
                return None
            self._living[place] = Worker(self._order, threads=self._threads)
            return self._living[place]


class PooledEncoder(ForwardingEncoder):
    """An encoder whose forward passes run in processes.

    Parameters
    ----------
    encoder
        The encoder, or a part of it.
    workers
        The processes.
    part
        Number of the part.
    """

    def __init__(self, encoder: Encoder, workers: Workers, *, part: int) -> None:
        super().__init__(encoder)
        self._workers, self._part = workers, part

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """As the encoder does."""
        found = self._workers.ask({"what": IMAGES, "part": self._part}, batch)
        return ImageVectors(found[0], found[1] if len(found) > 1 else None)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does."""
        return self._workers.ask({"what": TEXTS, "part": self._part, "texts": [*texts]})[0]


def pooled(encoder: Encoder, workers: Workers) -> Encoder:
    """An encoder whose forward passes run in processes."""
    return each_part(encoder, lambda number, part: PooledEncoder(part, workers, part=number))


def _error(answer: Mapping[str, Any]) -> Exception:
    if answer["error"] == DEFECT:
        return RuntimeError(answer["message"])
    kind = getattr(errors, answer["error"], InklingError)
    error: InklingError = kind(answer["message"], remedy=answer["remedy"])
    return error


def _as_ours(error: Exception) -> InklingError:
    if isinstance(error, InklingError):
        return error
    why = "ended before it was ready" if isinstance(error, EndedError) else f"failed: {error}"
    return EncoderError(f"An encoder process {why}.", remedy="Serve without --workers, which says more.")
