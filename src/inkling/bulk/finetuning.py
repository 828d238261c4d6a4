"""Fine-tuning by several processes of a cluster of Ray's: what `torchrun` does, where Ray Train starts the processes.

Each process does what `finetune_memory` does and finds the others by the variables that Ray Train sets, so that all
reach the weights that one process reaches with the same batch. Where one dies, all begin again at the last checkpoint,
as many as there is room for then.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from inkling.bulk.ray_cluster import (
    EXTRA,
    check_nodes,
    connected,
    living_nodes,
    pool_of,
    report_nothing,
    stopped,
    told,
)
from inkling.embeddings.embed import Progress
from inkling.errors import InklingError, InputError, require
from inkling.finetune.recipe import preset
from inkling.finetune.run import FineTunedMemory, FineTuningOptions, default_output, finetune_memory
from inkling.finetune.run_folder import check_output
from inkling.finetune.training.progress import TrainingProgress, silent
from inkling.memory.place import FilePlace, place_of
from inkling.outputs import held
from inkling.types import ImageRecord
from inkling.wording import excerpt

RESTARTS = 3
"""Times that processes are started again after one died."""
START_SECONDS = 600
"""That processes may take to start: all import torch at once, on a busy machine for minutes."""
_POLL_SECONDS, _FREE_SECONDS = 0.3, 60.0
_GO_ON = "All but the last minute is kept; go on with --resume (in Python, resume=True)."


@dataclass(frozen=True)
class Crew:
    """Processes that share each batch.

    Attributes
    ----------
    address
        Of the cluster: ``auto`` for the one that this machine belongs to, or host and port; None starts Ray here.
    processes
        How many at most; each takes a GPU where the cluster has any, else a processor. None: as many as there is room
        for and as a batch can be shared by.
    """

    address: str | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        if self.processes is not None and self.processes < 1:
            raise InputError(f"processes must be 1 or more, got {self.processes}.", remedy="Leave it out for all.")

    def size(self, options: FineTuningOptions, records: Sequence[ImageRecord], *, room: int) -> int:
        """How many there will be.

        Raises
        ------
        InputError
            If there is no room for as many as were asked for, or a single one for a model that is to be split.

        Examples
        --------
        >>> Crew().size(FineTuningOptions("lora"), [], room=64)
        32
        """
        if self.processes is not None and self.processes > room:
            raise InputError(
                f"{self.processes} processes were asked for, and the cluster has room for {room}.",
                remedy="Ask for fewer, or add nodes to the cluster.",
            )
        size = self.processes or max(1, min(room, _most(options, records)))
        if options.fsdp and size == 1:
            raise InputError(
                "FSDP splits a model over several processes, and there is one.",
                remedy="Add nodes to the cluster, ask for more processes or a larger batch, or leave --fsdp (in Python "
                "fsdp=True) out.",
            )
        return size


def finetune_on_ray(
    memory: str | Path,
    records: Sequence[ImageRecord],
    *,
    options: FineTuningOptions | None = None,
    crew: Crew | None = None,
    progress: TrainingProgress = silent,
    embedding: Progress | None = None,
) -> FineTunedMemory:
    """Fine-tune for a memory as `inkling.finetune_memory` does, by several processes of a cluster.

    Parameters
    ----------
    memory, options, progress, embedding
        As there. This folder, images, encoder, memory and output must be under the same name on all nodes.
    records
        The labelled images.
    crew
        Which cluster, and how many processes; None takes the defaults.

    Raises
    ------
    InputError
        As there; or there is no such cluster, no room on it, or what dies there dies again and again.

    Examples
    --------
    >>> from inkling.images.sources import find_images
    >>> records = find_images("photos/train", split="train").records
    >>> finetune_on_ray("vehicles.ink", records, crew=Crew("auto", processes=8))  # doctest: +SKIP
    """
    require("ray.train", extra=EXTRA, purpose="--engine ray, in Python finetune_on_ray,")
    options, crew = options or FineTuningOptions(), crew or Crew()
    output = Path(options.output or default_output(str(memory)))
    check_output(output, resume=options.resume)
    with _left_free(output), connected(crew.address), _made(output) as notes, told(_GO_ON):
        check_nodes(None, _needs(str(memory), records, options, output))
        room = pool_of(living_nodes())
        work = _Work(str(memory), tuple(records), replace(options, output=output, resume=True))
        run = _Run(work, crew.size(options, records, room=room.workers), room.gpus > 0, notes)
        return run({"step": progress, "embedding": embedding or _nothing})


@dataclass(frozen=True)
class _Work:
    """What each process does: the same as this one would in its folder."""

    memory: str
    records: tuple[ImageRecord, ...]
    options: FineTuningOptions
    folder: str = field(default_factory=lambda: str(Path.cwd()))
    command: tuple[str, ...] = field(default_factory=lambda: tuple(sys.argv))


def _train(given: Mapping[str, Any]) -> FineTunedMemory:
    """A process of those that Ray Train starts."""
    from ray import train

    work, board = given["work"], given["board"]
    os.chdir(work.folder)
    sys.argv = list(work.command)
    if train.get_context().get_world_rank() == 0:
        _wait_until_free(Path(str(work.options.output)))
    try:
        return finetune_memory(
            work.memory,
            work.records,
            options=work.options,
            progress=partial(board.tell.remote, "step"),
            embedding=partial(board.tell.remote, "embedding"),
        )
    except InklingError as error:
        import ray

        ray.get(board.refuse.remote(error))
        raise


class _Board:
    """An actor that carries news from the processes to whoever started them."""

    def __init__(self) -> None:
        self._news: list[tuple[str, tuple[Any, ...]]] = []
        self._refused: InklingError | None = None

    def tell(self, kind: str, *news: Any) -> None:
        """Something is done."""
        self._news.append((kind, news))

    def refuse(self, error: InklingError) -> None:
        """The work can't be done; the first reason stands."""
        self._refused = self._refused or error

    def take(self) -> tuple[list[tuple[str, tuple[Any, ...]]], InklingError | None]:
        """News since the last call, and why the work can't be done, if it can't."""
        news, self._news = self._news, []
        return news, self._refused


@dataclass(frozen=True)
class _Run:
    """Processes at work.

    Attributes
    ----------
    work
        What each does.
    size
        How many they are at most.
    on_gpus
        Whether each takes a GPU.
    notes
        A folder that all nodes see, for what Ray Train writes down.
    """

    work: _Work
    size: int
    on_gpus: bool
    notes: str

    def __call__(self, listeners: Mapping[str, Callable[..., None]]) -> FineTunedMemory:
        """Start the processes, again where one dies, and wait for what the first of them made."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        board = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()
        # In a process of its own, so that this one is free to listen, and to be interrupted: Ray then ends all.
        begin = ray.remote(_fit).options(num_cpus=0, max_retries=0, scheduling_strategy=here).remote
        given = ray.put(self)
        for left in range(RESTARTS, -1, -1):
            result = begin(given, board)
            try:
                while not ray.wait([result], timeout=_POLL_SECONDS)[0]:
                    _listen(board, listeners)
                _listen(board, listeners)
            except InklingError:
                ray.cancel(result, force=True)  # Ray Train itself takes long to end what one process refused
                raise
            done, why = ray.get(result)
            if done is not None:
                return cast(FineTunedMemory, done)
            if not left:
                raise stopped(why, _GO_ON)
        raise AssertionError("unreachable")


def _fit(run: _Run, board: Any) -> tuple[FineTunedMemory | None, str]:
    """What the processes made, or why they ended."""
    report_nothing()
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", str(START_SECONDS))
    from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchTrainer

    trainer = TorchTrainer(
        _train,
        train_loop_config={"work": run.work, "board": board},
        scaling_config=ScalingConfig(num_workers=(1 + run.work.options.fsdp, run.size), use_gpu=run.on_gpus),
        run_config=RunConfig(
            storage_path=run.notes,
            failure_config=FailureConfig(controller_failure_limit=RESTARTS),
            logging_config=LoggingConfig(log_level="ERROR"),
        ),
    )
    try:
        return cast(FineTunedMemory, trainer.fit().return_value), ""
    except TrainingFailedError as error:
        return None, excerpt(error)


def _listen(board: Any, listeners: Mapping[str, Callable[..., None]]) -> None:
    """Pass on what the processes tell, and raise what they refuse."""
    import ray

    every, refused = ray.get(board.take.remote())
    for kind, news in every:
        listeners[kind](*news)
    if refused is not None:
        raise refused


def _wait_until_free(output: Path) -> None:
    """Until the processes of before, which are being ended, have let go of the folder."""
    end = time.monotonic() + _FREE_SECONDS
    while time.monotonic() < end:
        with held(output) as alone:
            if alone:
                return
        time.sleep(_POLL_SECONDS)


@contextmanager
def _left_free(output: Path) -> Iterator[None]:
    """Where a person stops the run, wait for the processes to end: whoever goes on at once finds the folder free."""
    try:
        yield
    except KeyboardInterrupt:
        _wait_until_free(output)
        raise


@contextmanager
def _made(output: Path) -> Iterator[str]:
    """The folder of a run, which a refusal does not leave behind, and one beside it for the time of the run."""
    output.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".ray-", dir=output.parent) as notes:
            yield str(Path(notes).absolute())
    finally:
        with suppress(OSError):
            output.rmdir()


def _needs(memory: str, records: Sequence[ImageRecord], options: FineTuningOptions, output: Path) -> list[str]:
    """What all nodes must see."""
    images = [str(first.archive or first.file or first.path) for first in records[:1]]
    beside = [str(Path(memory).absolute().parent)] if isinstance(place_of(memory), FilePlace) else []
    return [str(Path.cwd()), str(output.absolute()), *images, str(options.encoder or ""), *beside]


def _most(options: FineTuningOptions, records: Sequence[ImageRecord]) -> int:
    """Processes that a batch can be shared by."""
    recipe = preset(options.recipe) if isinstance(options.recipe, str) else options.recipe
    batch = recipe.batch_size or len({one.label for one in records}) * (recipe.images_per_class or 1)
    return batch // recipe.accumulation


def _nothing(done: int, total: int) -> None:
    """Tells nobody."""
