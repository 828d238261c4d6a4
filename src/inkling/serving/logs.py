"""The log of requests on standard error, as text or JSON; nothing of a picture, its name, or a token is in it."""

from __future__ import annotations

import json
import sys
import threading
from typing import Literal, TextIO

from starlette.types import Scope

from inkling.provenance import now
from inkling.redaction import redacted
from inkling.wording import excerpt, visible

Format = Literal["text", "json", "none"]
QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"})
"""Asked every few seconds, and logged where they fail alone."""


class Log:
    """Writes a line for each answer.

    Parameters
    ----------
    kind
        ``text``, ``json``, or ``none`` for no lines.
    stream
        Where to; None is standard error.
    """

    def __init__(self, kind: Format, stream: TextIO | None = None) -> None:
        self._kind, self._stream = kind, stream or sys.stderr
        self._lock = threading.Lock()

    def answered(self, scope: Scope, *, route: str, status: int, seconds: float) -> None:
        """Write a line about an answer."""
        if self._kind == "none" or (route in QUIET and status < 400):
            return
        client = scope.get("client")
        told = {
            "time": now(),
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": excerpt(visible(redacted(scope["path"]))),
            "status": status,
            "ms": round(1000 * seconds, 1),
            "by": scope.get("state", {}).get("by"),
            "why": scope.get("state", {}).get("why"),
        }
        line = json.dumps(told) if self._kind == "json" else " ".join(str(one) for one in told.values() if one)
        with self._lock:
            self._stream.write(f"{line}\n")
            self._stream.flush()
