"""A service run as a process: its port, its signals, and its end in good order."""

from __future__ import annotations

import ctypes
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from threadpoolctl import ThreadpoolController

from inkling.errors import InputError
from inkling.serving.app import create_app
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.wording import excerpt

GRACE_SECONDS = 30
BACKLOG = 1024
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end the service in good order. Windows lacks the last."""
_M_ARENA_MAX = -8
MOST_ARENAS = 2


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address.

    Raises
    ------
    InputError
        If there is no such address, or its port is in use.
    """
    try:
        ((family, _, _, _, address), *_) = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # Named as TCP, or asyncio leaves Nagle's algorithm on, which holds each answer back for 40 ms.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(BACKLOG)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"Port {port} of {host} is in use.", remedy="Choose another one with --port; 0 takes any that is free."
            ) from error
        raise InputError(f"{host}, port {port}, cannot be served at: {excerpt(error)}.") from error
    return bound


def address_of(bound: socket.socket) -> str:
    """The address of a bound socket as a browser takes it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(service: Service, settings: Settings, bound: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve until a signal ends it: what is held is finished before.

    Parameters
    ----------
    service
        What is served; it is started and closed here.
    settings
        How.
    bound
        Where.
    started
        Called when the service is ready.

    Raises
    ------
    InklingError
        If the service cannot be started.
    """
    config = uvicorn.Config(
        create_app(service, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # Arrays here are so small that threads of BLAS cost more than they gain: ten times as much beside an encoder.
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
    _share_arenas()
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    server = _Server(config, service)
    failed: list[Exception] = []

    def start() -> None:
        try:
            service.start()
            started()
        except Exception as error:  # raised again where the server runs
            failed.append(error)
            server.should_exit = True

    starter = threading.Thread(target=start, name="inkling-start", daemon=True)
    starter.start()
    try:
        server.run(sockets=[bound])
    finally:
        service.close()
    if failed:
        raise failed[0]


def _share_arenas() -> None:
    """Have threads share what they have freed, where the C library is glibc.

    Else each of them keeps its own, and the memory of a server under load grows by half as its threads take turns.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MOST_ARENAS)


class _Server(uvicorn.Server):
    """Ends in good order, and says by its exit code that all is well: whoever sent the signal wanted just that."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no more, and end what streams."""
        self._service.closing.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the base class, but signals are not raised again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in ENDING}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
