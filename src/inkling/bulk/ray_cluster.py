"""A cluster of Ray's: the way into it, what it has room for, and what it refused, in words."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inkling.bulk.shelf import Shelf
from inkling.embeddings.parts import MANIFEST
from inkling.errors import InklingError, InputError
from inkling.wording import excerpt

EXTRA = "scale"
GO_ON = "Parts that are written stay; go on with --resume (in Python, resume=True)."
_PATIENCE = 10.0  # seconds that a cluster may take to answer at all
_BARS = "ray.data._internal.progress"
"""Without a terminal for bars, it logs lines in their place."""


@dataclass(frozen=True)
class Pool:
    """Workers of a cluster, and what each takes.

    Attributes
    ----------
    workers
        How many there is room for.
    cpus, gpus
        Of each; shares where several must do with one.
    """

    workers: int
    cpus: float
    gpus: float

    @property
    def threads(self) -> int:
        """How many threads of a worker decode."""
        return max(1, int(self.cpus))


def pool_of(nodes: Sequence[Mapping[str, float]], *, gpus: float | None = None) -> Pool:
    """A worker for each share of a GPU, with the processors beside it to decode; without, one for each processor.

    Parameters
    ----------
    nodes
        How many CPU and GPU each node has.
    gpus
        As for `RayEngine`.

    Raises
    ------
    InputError
        If there is no room for a single worker.

    Examples
    --------
    >>> pool_of([{"CPU": 16, "GPU": 2}, {"CPU": 64}], gpus=0.5)
    Pool(workers=4, cpus=4.0, gpus=0.5)
    """
    if gpus is None:
        gpus = float(any(node.get("GPU", 0) >= 1 for node in nodes))
    if not gpus:
        workers = sum(int(node.get("CPU", 0)) for node in nodes)
        cpus = 1.0
    else:
        places = [(int(node["GPU"]) * int(1 / gpus), node.get("CPU", 0)) for node in nodes if node.get("GPU", 0) >= 1]
        workers = sum(held for held, _ in places)
        cpus = min((beside / held for held, beside in places), default=0.0)
    if not workers:
        lacking = "GPU" if gpus else "CPU"
        raise InputError(
            f"No node of the Ray cluster has a whole {lacking}.",
            remedy="Start its nodes with --num-cpus and --num-gpus as they have them"
            + (", or leave --gpus out (in Python, gpus=None)." if gpus else "."),
        )
    return Pool(workers, float(int(cpus)) if cpus > 1 else cpus, gpus)


def living_nodes() -> list[Mapping[str, float]]:
    """What each node that is alive has."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextmanager
def told(remedy: str = GO_ON) -> Iterator[None]:
    """What stopped a cluster, in words.

    Raises
    ------
    InputError
        In place of Ray's errors.
    """
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        raise stopped(excerpt(error), remedy) from error


def stopped(why: str, remedy: str = GO_ON) -> InputError:
    return InputError(f"The run stopped: {why}", remedy=remedy)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, for the length of a run; one that this process uses already is left as it is."""
    import ray

    if ray.is_initialized():
        yield
        return
    report_nothing()
    logging.getLogger("ray").setLevel(logging.ERROR)  # it would tell how to turn a protection off
    logging.getLogger(_BARS).setLevel(logging.ERROR)
    try:
        _knock(address)
        ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", configure_logging=False)
    except (ConnectionError, TimeoutError, socket.gaierror) as error:
        raise InputError(
            f"There is no Ray cluster at '{address}': {excerpt(error)}.",
            remedy="Start one with 'ray start --head', give its HOST:PORT, or leave --address out "
            "(in Python, address=None). If it asks for a token, that must be at hand: see 'ray get-auth-token'.",
        ) from error
    except Exception as error:  # Ray has its own kinds, RuntimeError, and Exception itself where a node is too slow
        what = "Ray can't be started here" if address is None else f"The Ray cluster at '{address}' can't be used"
        raise InputError(
            f"{what}: {excerpt(error)}",
            remedy="Ray and Python must be of the same versions there as here, the token at hand if one is asked for "
            "(see 'ray get-auth-token'), and the machine not busy with other work.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def report_nothing() -> None:
    """Keep Ray Data from reporting what runs on a cluster, by a thread that asks around until this process ends."""
    os.environ.setdefault("RAY_DATA_USAGE_DISABLED", "1")


def _knock(address: str | None) -> None:
    """Let the system refuse an address where nothing listens; Ray itself tries one for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def check_nodes(shelf: Shelf | None, needs: Sequence[str]) -> None:
    """Have each node that lives look for the manifest that was just written, and for files and folders that are here.

    Raises
    ------
    InputError
        If a node lacks one of them.
    """
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = [str(Path(name).absolute()) for name in needs if Path(name).exists()]
    nodes = {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")}
    look = ray.remote(_lacking)
    asked = {}
    for node, name in nodes.items():
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        asked[name] = look.options(num_cpus=0, scheduling_strategy=there).remote(shelf, here)
    for name, answer in asked.items():
        try:
            lacking = ray.get(answer)
        except RayError:  # it died, perhaps before it was asked, and does no part
            continue
        if lacking:
            raise InputError(
                f"The node {name} of the cluster can't reach {lacking}.",
                remedy="Put images, encoder and output where all nodes see them under the same name: a shared folder, "
                "or a URL.",
            )


def _lacking(shelf: Shelf | None, needs: Sequence[str]) -> str | None:
    """What this node can't reach."""
    try:
        if shelf is not None:
            shelf.get(MANIFEST)
    except (OSError, InklingError):
        return f"the output {shelf}"
    return next((f"'{name}'" for name in needs if not Path(name).exists()), None)
