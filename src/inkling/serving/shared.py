"""What all routes of an application share: the service, the rules, and the threads that work is done in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Request

from inkling.embeddings.at_once import ReadyPicture
from inkling.serving.answered import Answer, Wanted
from inkling.serving.batching import BusyError
from inkling.serving.jobs import Jobs
from inkling.serving.larger import Larger
from inkling.serving.problems import RETRY_SECONDS, Problem
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.serving.uploads import Upload
from inkling.types import SkippedImage

T = TypeVar("T")

READERS = 8
MOST_VERSIONS = 3
"""How often a request is asked again whose pictures two versions of the memory were asked about."""


class Shared:
    """The service of an application, and the threads that its work is done in.

    Parameters
    ----------
    service
        What is served.
    settings
        How.
    """

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service, self.settings, self.jobs, self.larger = service, settings, Jobs(), Larger()
        self._looking = CapacityLimiter(os.cpu_count() or 1)
        self._reading = CapacityLimiter(READERS)
        self._changing = CapacityLimiter(1)
        self._studying = CapacityLimiter(1)

    def require_ready(self) -> None:
        """Refuse to be called ready before the service is warmed up, and when it ends.

        Raises
        ------
        Problem
            If it is not ready.
        """
        if self.service.closing.is_set():
            raise Problem(503, "ending", "The service is about to end.")
        if not self.service.ready.is_set():
            raise Problem(503, "warming-up", "The encoder is not loaded yet.", headers={"Retry-After": "1"})

    async def reading(self, function: Callable[[], T]) -> T:
        """What a function returns that reads the memory."""
        return await anyio.to_thread.run_sync(function, limiter=self._reading)

    async def studying(self, function: Callable[[], T]) -> T:
        """What a function returns that takes a core for a while. One at a time."""
        return await anyio.to_thread.run_sync(function, limiter=self._studying)

    async def changing(self, function: Callable[[], T]) -> T:
        """What a function returns that changes the memory. One at a time.

        Raises
        ------
        BusyError
            If too many wait for their turn.
        """
        if self._changing.statistics().tasks_waiting >= self.settings.limits.changing:
            raise BusyError("Too many changes of the memory are waiting.", remedy="Ask again in a moment.")
        return await anyio.to_thread.run_sync(function, limiter=self._changing)

    async def _looked_at(self, upload: Upload) -> ReadyPicture | SkippedImage:
        return await anyio.to_thread.run_sync(lambda: self.service.looked_at(upload.record()), limiter=self._looking)

    async def answers(self, uploads: Sequence[Upload], *, top: int, names: int) -> list[Answer | SkippedImage]:
        """Answers about pictures, in their order, all by one version of the memory.

        Raises
        ------
        BusyError
            If too much is waiting.
        Problem
            If it takes too long.
        """
        looked = [await self._looked_at(one) for one in uploads]
        wanted = [Wanted(one, top, names) for one in looked if not isinstance(one, SkippedImage)]
        answered = await self._asked(wanted)
        for _ in range(MOST_VERSIONS):
            if len({one.known.version for one in answered if isinstance(one, Answer)}) <= 1:
                break
            answered = await self._asked(wanted)
        rest = iter(answered)
        return [one if isinstance(one, SkippedImage) else next(rest) for one in looked]

    async def _asked(self, wanted: Sequence[Wanted]) -> list[Answer | SkippedImage]:
        seconds = self.settings.limits.seconds
        futures = self.service.ask(wanted) if wanted else []
        try:
            async with asyncio.timeout(seconds):
                return [await asyncio.wrap_future(one) for one in futures]
        except TimeoutError:
            raise Problem(
                503,
                "too-slow",
                f"There was no answer within {seconds:g} seconds.",
                remedy="Ask again later, with fewer pictures in a request.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from None
        finally:
            for one in futures:
                one.cancel()


def shared(request: Request) -> Shared:
    """What the application of a request shares."""
    found: Shared = request.app.state.shared
    return found


def writer(request: Request) -> str:
    """Who writes; see `Access.writer`. The log has it too."""
    request.state.by = shared(request).settings.access.writer(request.scope)
    return str(request.state.by)


Share = Annotated[Shared, Depends(shared)]
Writer = Annotated[str, Depends(writer)]
WritersOnly = Depends(writer)
