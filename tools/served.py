"""A service at a port of its own, for tests and screenshots of its page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from inkling.serving.run import address_of, bound_socket


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an application from a thread; yields its address."""
    with bound_socket("127.0.0.1", 0) as bound:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            yield address_of(bound)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
