"""Parts on a cluster of Ray's: Ray Data spreads them over actors that keep the encoder, and does lost ones again.

A part is one row of a data set, so a row that comes back is a part that is written. Whatever dies, Ray runs its rows
again; since a part holds the same bytes whoever writes it, twice does no harm.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inkling.bulk.jobs import Job, Work
from inkling.bulk.parts import Written, write_part
from inkling.bulk.plan import Plan
from inkling.bulk.ray_cluster import EXTRA, check_nodes, connected, living_nodes, pool_of, stopped, told
from inkling.bulk.shelf import Shelf
from inkling.errors import InklingError, require
from inkling.types import ImageRecord
from inkling.wording import excerpt


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
        with connected(self._address):
            first = records[0]
            check_nodes(shelf, [str(first.archive or first.file or first.path), *job.needs])
            pool = pool_of(living_nodes(), gpus=self._gpus)
            rows = [{"part": part, "records": list(records[plan.rows(part)])} for part in parts]
            # Images are values of ours, which Arrow can't hold but as Python objects; said so, Ray warns of nothing.
            ray.data.DataContext.get_current().enable_fallback_to_arrow_object_ext_type = True
            data = ray.data.from_items(rows, override_num_blocks=len(rows))
            done = data.map_batches(
                _Worker,
                fn_constructor_args=(job, shelf, plan.digest, pool.threads, str(Path.cwd())),
                batch_size=1,
                zero_copy_batch=False,
                num_cpus=pool.cpus,
                num_gpus=pool.gpus,
                compute=_actors(min(pool.workers, len(parts))),
            )
            with told():
                for row in done.iter_rows():
                    yield _as_written(row["answer"])

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """A task for each item, a few more at a time than there are processors; `work` may name `needs` of its own."""
        import ray

        with connected(self._address), told("Run it again."):
            check_nodes(None, getattr(work, "needs", ()))
            task, shared, folder = ray.remote(_apply), ray.put(work), str(Path.cwd())
            most = int(ray.cluster_resources().get("CPU", 1)) + 1
            waiting: deque[Any] = deque()
            for item in items:
                if len(waiting) >= most:
                    yield ray.get(waiting.popleft())
                waiting.append(task.remote(folder, shared, item))
            while waiting:
                yield ray.get(waiting.popleft())


def _apply(folder: str, work: Callable[[Any], Any], item: Any) -> Any:
    _go_to(folder)
    return work(item)


def _go_to(folder: str) -> None:
    """Have relative names mean what they mean to the driver. Where there is none, names may be absolute."""
    with suppress(OSError):
        os.chdir(folder)


class _Worker:
    """An actor: opens the job once, then does a part at a time. What hinders it is an answer and no exception."""

    def __init__(self, job: Job, shelf: Shelf, run: str, threads: int, folder: str) -> None:
        _go_to(folder)
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


def _actors(count: int) -> Any:
    """So many actors, all asked for at once; fewer do where there is no room, and none takes a part ahead."""
    import ray

    return ray.data.ActorPoolStrategy(min_size=1, max_size=count, initial_size=count, max_tasks_in_flight_per_actor=1)


def _as_written(answer: Mapping[str, Any]) -> Written:
    if answer["refused"]:
        raise stopped(answer["refused"])
    skipped = tuple((path, reason) for path, reason in answer["skipped"])
    return Written(answer["part"], answer["rows"], answer["sha256"], skipped)
