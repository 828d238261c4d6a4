"""The program `inkling` forked from one process that has imported what its runs need.

A run of a second takes up to ten more to import PyTorch and its libraries, a dozen of them a dozen times. Whatever is
about the start of a process, its imports or signals runs the program itself.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = (
    "accelerate",
    "alembic.command",
    "inkling.cli.main",
    "jinja2",
    "onnxruntime",
    "peft",
    "pyarrow.parquet",
    "rich.table",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.linear_model",
    "sqlalchemy",
    "torch",
    "transformers.models.auto.modeling_auto",
    "transformers.models.clip.modeling_clip",
)
_LENGTH = 8
"""Bytes of the number that says how long an order is."""

# Isolated and without site-packages, it starts in a few milliseconds.
_CLIENT = """\
    #!{python} -IS
    import json, os, signal, socket, sys
    order = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    text = json.dumps(order).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect({address!r})
        socket.send_fds(server, [len(text).to_bytes({length}, "big")], [0, 1, 2])
        server.sendall(text)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: server.sendall(bytes([number])))
        code = server.makefile("r").read()
    sys.exit(int(code) if code else "the forked program was lost")
    """


@contextmanager
def forked_program() -> Iterator[Path]:
    """A folder for the search path, whose program `inkling` starts at once."""
    # A socket's path may not be longer than about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="forks") as name:
        folder = Path(name)
        client = folder / "inkling"
        address = str(folder / "socket")
        text = _CLIENT.format(python=sys.executable, address=address, length=_LENGTH)
        client.write_text(textwrap.dedent(text), encoding="utf-8")
        client.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(address)
            listening.listen(16)  # clients wait there while the process below imports
            command = [sys.executable, "-P", __file__, str(listening.fileno())]
            server = subprocess.Popen(command, pass_fds=[listening.fileno()], stdin=subprocess.PIPE)
        with server:  # leaving it closes the pipe, as does the end of this process, however it ends
            yield folder


def _next_order(listening: socket.socket) -> dict[str, Any]:
    """Fork for every client until standard input ends; returns in the process that is to become the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for the programs
    while True:
        if sys.stdin in select.select([listening, sys.stdin], [], [])[0]:
            sys.exit()
        client, _ = listening.accept()
        if os.fork() == 0:
            break
        client.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    listening.close()
    header, streams, _, _ = socket.recv_fds(client, _LENGTH, 3)
    order = client.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL)
    if child := os.fork():
        _accompany(client, child)
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return dict(json.loads(order))


def _accompany(client: socket.socket, child: int) -> NoReturn:
    """Hand on the signals of a client until its program ends; a program whose client is gone is killed."""
    ended = os.pidfd_open(child)
    while ended not in select.select([client, ended], [], [])[0]:
        number = client.recv(1)
        os.kill(child, number[0] if number else signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with suppress(OSError):
        client.sendall(str(code if code >= 0 else 128 - code).encode())  # as shells tell of signals
    os._exit(0)


def _become(order: dict[str, Any]) -> None:
    """Take on what a process is started with."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["inkling", *order["arguments"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115 - the same


def _run() -> int:
    """Exit code of the program, which says itself what it ended by."""
    try:
        sys.modules["inkling.cli.main"].main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> NoReturn:
    """As any process ends, but for the libraries: they would wait for threads that stayed behind in the fork."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for module in IMPORTED:
        import_module(module)
    _become(_next_order(socket.socket(fileno=int(sys.argv[1]))))
    _end(_run())
