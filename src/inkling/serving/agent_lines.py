"""Lines that an agent's program sends on standard input and that are no messages: each is answered, none ends it.

The `mcp` package passes them over in silence, and whoever sent one waits for an answer.
"""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

_PARSE = "The line is no JSON. Send each message as one line of JSON, encoded as UTF-8."
_INVALID = "The line is JSON, but no message of JSON-RPC 2.0: one object with 'jsonrpc', 'method' and, if asked, 'id'."


class CheckedLines:
    """Messages of a client. A line that is none is answered with an error of JSON-RPC 2.0, and passed over.

    Parameters
    ----------
    read
        Messages, and what went wrong with lines that are none.
    write
        Where answers go.
    """

    def __init__(self, read: Any, write: Any) -> None:
        self._read, self._write = read, write

    @property
    def last_context(self) -> Any:
        """Context variables of whoever sent the latest message; the package looks for them by this name."""
        return getattr(self._read, "last_context", None)

    async def receive(self) -> Any:
        """The next message."""
        while isinstance(found := await self._read.receive(), Exception):
            if (refusal := refused(found)) is not None:
                with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # nobody listens any more
                    await self._write.send(SessionMessage(refusal))
        return found

    async def aclose(self) -> None:
        """Take no more."""
        await self._read.aclose()

    def __aiter__(self) -> CheckedLines:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> CheckedLines:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def refused(error: Exception) -> JSONRPCError | None:
    """What answers a line, by what is wrong with it; None for an empty one.

    Codes are those of JSON-RPC 2.0, section 5.1: -32700 for what is no JSON, -32600 for JSON that is no message. The
    error has the `id` of the line where it has one, so that nobody waits for it in vain.
    """
    faults = error.errors(include_url=False) if isinstance(error, ValidationError) else []
    if not faults or faults[0]["type"] == "json_invalid":
        if faults and not str(faults[0]["input"]).strip():
            return None
        return JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=PARSE_ERROR, message=_PARSE))
    asked = [one["input"].get("id") for one in faults if isinstance(one["input"], dict)]
    known = [one for one in asked if isinstance(one, str | int) and not isinstance(one, bool)]
    return JSONRPCError(
        jsonrpc="2.0", id=known[0] if known else None, error=ErrorData(code=INVALID_REQUEST, message=_INVALID)
    )
