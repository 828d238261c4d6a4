"""Parts on a cluster of Ray's: Ray Data spreads them over actors that keep the encoder, and does lost ones again.

A part is one row of a data set, so a row that comes back is a part that is written. Whatever dies, Ray runs its rows
again; since a part holds the same bytes whoever writes it, twice does no harm.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inkling.bulk.jobs import Job, Work
from inkling.bulk.manifest import NAME as MANIFEST
from inkling.bulk.parts import Written, write_part
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.errors import InklingError, InputError, require
from inkling.types import ImageRecord
from inkling.wording import excerpt

EXTRA = "scale"
_GO_ON = "Parts that are written stay; go on with --resume (in Python, resume=True)."
_PATIENCE = 10.0  # seconds that a cluster may take to answer at all


class RayEngine:
    """Ray, on this machine or at an address.

    Parameters
    ----------
    address
        ``auto`` for the cluster that this machine belongs to, or its host and port; None starts Ray here.
    gpus
        Share of a GPU that a worker takes, 0 to 1; None: a whole one where there are any, else 0.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    """

    def __init__(self, address: str | None = None, *, gpus: float | None = None) -> None:
        require("ray", extra=EXTRA, purpose="--engine ray, in Python RayEngine,")
        self._address, self._gpus = address, gpus

    def run(
        self, job: Job, plan: Plan, records: Sequence[ImageRecord], parts: Sequence[int], shelf: Shelf
    ) -> Iterator[Written]:
        """One row of a data set for each part."""
        import ray

        if not parts:
            return
        with _connected(self._address):
            first = records[0]
            _check_nodes(shelf, [str(first.archive or first.file or first.path), *job.needs])
            pool = pool_of(_nodes(), gpus=self._gpus)
            rows = [{"part": part, "records": list(records[plan.rows(part)])} for part in parts]
            # Images are values of ours, which Arrow can't hold but as Python objects; said so, Ray warns of nothing.
            ray.data.DataContext.get_current().enable_fallback_to_arrow_object_ext_type = True
            data = ray.data.from_items(rows, override_num_blocks=len(rows))
            done = data.map_batches(
                _Worker,
                fn_constructor_args=(job, shelf, plan.digest, pool.threads),
                batch_size=1,
                zero_copy_batch=False,
                num_cpus=pool.cpus,
                num_gpus=pool.gpus,
                compute=_actors(min(pool.workers, len(parts))),
            )
            with _told():
                for row in done.iter_rows():
                    yield _as_written(row["answer"])

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """A task for each item, a few more at a time than there are processors; `work` may name `needs` of its own."""
        import ray

        with _connected(self._address), _told("Run it again."):
            _check_nodes(None, getattr(work, "needs", ()))
            task, shared = ray.remote(_apply), ray.put(work)
            most = int(ray.cluster_resources().get("CPU", 1)) + 1
            waiting: deque[Any] = deque()
            for item in items:
                if len(waiting) >= most:
                    yield ray.get(waiting.popleft())
                waiting.append(task.remote(shared, item))
            while waiting:
                yield ray.get(waiting.popleft())


def _apply(work: Callable[[Any], Any], item: Any) -> Any:
    return work(item)


class _Worker:
    """An actor: opens the job once, then does a part at a time. What hinders it is an answer and no exception."""

    def __init__(self, job: Job, shelf: Shelf, run: str, threads: int) -> None:
        self._job, self._shelf, self._run, self._threads = job, shelf, run, threads

    @cached_property
    def _work(self) -> Work:
        return self._job.open(threads=self._threads)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        part, records = int(batch["part"][0]), list(batch["records"][0])
        answer: dict[str, Any] = {"part": part, "rows": 0, "sha256": "", "skipped": (), "refused": ""}
        try:
            answer |= asdict(write_part(self._shelf, part, self._work(records), run=self._run))
        except InklingError as error:
            answer["refused"] = f"{error.message} {error.remedy or ''}".rstrip()
        except OSError as error:
            answer["refused"] = excerpt(error)
        column = np.empty(1, dtype=object)
        column[0] = answer
        return {"answer": column}


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


def _actors(count: int) -> Any:
    """So many actors, all asked for at once; fewer do where there is no room, and none takes a part ahead."""
    import ray

    return ray.data.ActorPoolStrategy(min_size=1, max_size=count, initial_size=count, max_tasks_in_flight_per_actor=1)


def _nodes() -> list[Mapping[str, float]]:
    """What each node that is alive has."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _as_written(answer: Mapping[str, Any]) -> Written:
    if answer["refused"]:
        raise _stopped(answer["refused"])
    skipped = tuple((path, reason) for path, reason in answer["skipped"])
    return Written(answer["part"], answer["rows"], answer["sha256"], skipped)


@contextmanager
def _told(remedy: str = _GO_ON) -> Iterator[None]:
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
        raise _stopped(excerpt(error), remedy) from error


def _stopped(why: str, remedy: str = _GO_ON) -> InputError:
    return InputError(f"The run stopped: {why}", remedy=remedy)


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Ray, for the length of a run; one that this process uses already is left as it is."""
    import ray

    if ray.is_initialized():
        yield
        return
    # Ray Data would report what runs on a cluster, from a thread that asks around for as long as this process lives.
    os.environ.setdefault("RAY_DATA_USAGE_DISABLED", "1")
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


def _knock(address: str | None) -> None:
    """Let the system refuse an address where nothing listens; Ray itself tries one for minutes."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def _check_nodes(shelf: Shelf | None, needs: Sequence[str]) -> None:
    """Have each node that lives look for the manifest that was just written, and for files and folders that are here.

    Raises
    ------
    InputError
        If a node lacks one of them.
    """
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = [name for name in needs if Path(name).exists()]
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
