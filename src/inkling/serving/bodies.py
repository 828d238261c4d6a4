"""Bodies of requests: counted as they come, in bytes and in time."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkling.serving.limits import Limits
from inkling.serving.problems import RETRY_SECONDS, Problem

DRAINED_BYTES = 2**20
"""What is left of a refused body is read up to here, so that the client comes to read the answer."""


class BoundedBodies:
    """Refuses bodies that are too large or too slow, and more of them than can be held.

    Parameters
    ----------
    app
        Reads the bodies.
    limits
        What is taken.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits, self._held = app, limits, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the interface has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limits.seconds)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await body.next()
            size = len(message.get("body", b""))
            taken += size
            self._held += size
            try:
                self._require_room(taken)
            except Problem:
                await body.drain()
                raise
            return message

        try:
            self._require_room(_declared(scope))
            await self._app(scope, counted, send)
        except Problem as problem:
            await body.drain()
            await problem.response(scope, receive, send)
        finally:
            self._held -= taken

    def _require_room(self, size: int) -> None:
        if size > self._limits.body_bytes:
            raise Problem(
                413,
                "too-large",
                f"The body has more than {self._limits.body_bytes // 2**20} MiB.",
                remedy="Send fewer or smaller pictures in a request.",
            )
        if self._held > self._limits.held_bytes:
            raise Problem(
                429,
                "busy",
                "The bodies of other requests take all the room there is.",
                remedy="Ask again in a moment.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )


class _Body:
    """The body of a request, which has so many seconds to arrive."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive, self._seconds = receive, seconds
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._ended = False

    async def next(self) -> Message:
        if self._ended:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                408,
                "too-slow",
                f"The body did not arrive within {self._seconds:g} seconds.",
                remedy="Send fewer or smaller pictures in a request.",
            ) from None
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise Problem(400, "broken-off", "The connection ended before the body did.")
        return message

    async def drain(self) -> None:
        left = DRAINED_BYTES
        while not self._ended and left > 0:
            try:
                left -= len((await self.next()).get("body", b""))
            except Problem:
                return


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0
