"""A Ray cluster of nodes that are started as an operator starts them, and killed as machines are."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

START_SECONDS = 120
_RAY = Path(sys.executable).parent / "ray"
ALONE = {"RAY_AUTH_MODE": "disabled"}
"""For whoever talks to a cluster that listens on this machine alone. A token would have to be there before Ray is
imported, and Ray would keep it in the home folder."""

_AS_URGENT = {"RAY_worker_niceness": "0"}
"""Ray's workers step back behind other programs, which here are other tests that never pause: they would starve."""


class Cluster:
    """Nodes on this machine, with folders and ports of their own. Leaving the context kills what is left of them.

    Parameters
    ----------
    apart
        Whether every node but the head is in a network namespace of its own, for which one has to be root.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rt", dir="/tmp"))  # Ray's sockets allow short names alone
        self._network = f"{secrets.randbelow(100) + 100}.{secrets.randbelow(250)}" if apart else None
        host = "127.0.0.1" if self._network is None else f"10.{self._network}.1"
        self.address = f"{host}:{_free_port()}"
        self.environment = ALONE if not apart else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start(self, *, processors: Sequence[int] | None = None) -> int:
        """Add a node, the first of which is the head, and wait for it; returns its number.

        Parameters
        ----------
        processors
            Those of this machine that it is held to; None: any, and it says that it has one.
        """
        host, port = self.address.split(":")
        head = ("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.folder}")
        role: Sequence[object] = (f"--address={self.address}",) if self._nodes else head
        within: Sequence[str] = ()
        if self._network is not None:
            host, within = self._joined_network()
        cpus = 1 if processors is None else len(processors)
        own = (f"--num-cpus={cpus}", "--num-gpus=0", "--object-store-memory=100000000", f"--node-ip-address={host}")
        told = self.folder / f"node-{len(self._nodes)}.log"
        with told.open("wb") as log:
            node = subprocess.Popen(
                [*within, _RAY, "start", "--block", "--disable-usage-stats", *role, *own],
                stdout=log,
                stderr=log,
                env=os.environ | _AS_URGENT | self.environment,
                start_new_session=True,
            )
        if processors is not None:
            os.sched_setaffinity(node.pid, processors)  # while it has begun nothing that would not inherit it
        self._nodes.append(node)
        self._wait(node, told)
        return self.last

    def _joined_network(self) -> tuple[str, Sequence[str]]:
        """Address of the next node, and what its command runs within: a namespace joined to this one by a cable."""
        number = len(self._nodes)
        end = f"ink{os.getpid() % 100000}n{number}"
        if not number:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"10.{self._network}.1/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            return f"10.{self._network}.1", ()
        address, inner = f"10.{self._network}.{number + 1}", f"{end}i"
        _ip("netns", "add", end)
        _ip("link", "add", end, "type", "veth", "peer", "name", inner)
        _ip("link", "set", inner, "netns", end)
        _ip("link", "set", end, "master", self._bridge, "up")
        for command in (("addr", "add", f"{address}/24", "dev", inner), ("link", "set", inner, "up")):
            _ip("-n", end, *command)
        _ip("-n", end, "link", "set", "lo", "up")
        return address, ("ip", "netns", "exec", end)

    @property
    def _bridge(self) -> str:
        return f"ink{os.getpid() % 100000}b"

    def _wait(self, node: subprocess.Popen[bytes], log: Path) -> None:
        """Until it says that it runs."""
        end = time.monotonic() + START_SECONDS
        while "Ray runtime started" not in log.read_text():
            if node.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(len(self._nodes)):
            self.kill(number)
            if self._network is not None and number:
                _ip("netns", "del", f"ink{os.getpid() % 100000}n{number}")
        if self._network is not None and self._nodes:
            _ip("link", "del", self._bridge)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def last(self) -> int:
        """Number of the node that was added last."""
        return len(self._nodes) - 1

    def processes(self, number: int) -> list[psutil.Process]:
        """Those of a node; none where it is dead, as its number may be another process's by now."""
        node = self._nodes[number]
        if node.poll() is not None:
            return []
        started = psutil.Process(node.pid)
        return [started, *started.children(recursive=True)]

    def workers(self, name: str) -> list[psutil.Process]:
        """Processes of all nodes that do the work of an actor of that name."""
        found = []
        for number in range(len(self._nodes)):
            for process in self.processes(number):
                with suppress(psutil.NoSuchProcess, IndexError):
                    if "ray::" in process.cmdline()[0] and name in process.cmdline()[0]:
                        found.append(process)
        return found

    def kill(self, number: int) -> None:
        """What happens to a node whose machine is switched off."""
        for process in self.processes(number):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._nodes[number].wait()


def _free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
