"""How far long work is: bars on a terminal; in a pipe or a log file, a line every few seconds. On standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import typer

from inkling.cli.stopping import stop_if_asked

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

    from inkling.embeddings.embed import Progress
    from inkling.finetune.training.progress import StepReport, TrainingProgress

LINE_SECONDS = 10.0
"""Between two lines where there is no terminal; what takes less than this says nothing."""


class Board(Protocol):
    """Where tasks show how far they are. One board is open at a time; it holds any number of tasks."""

    def update(self, task: str, done: int, total: int, told: str | None = None) -> None:
        """`done` of `total` steps of a task are through; `told` stands in place of the rate."""

    def rate(self, task: str) -> float | None:
        """Steps of a task per second; None until it is known."""


class Bars:
    """Bars with rate and time left."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._tasks: dict[str, TaskID] = {}

    def update(self, task: str, done: int, total: int, told: str | None = None) -> None:
        """As `Board`."""
        if task not in self._tasks:
            self._tasks[task] = self._display.add_task(task, total=None, told="")
        self._display.update(self._tasks[task], completed=done, total=total, told=told or "")

    def rate(self, task: str) -> float | None:
        """As `Board`."""
        if task not in self._tasks:
            return None
        return next(one.speed for one in self._display.tasks if one.id == self._tasks[task])


class Lines:
    """A line at intervals."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest = clock()
        self._starts: dict[str, tuple[float, int]] = {}
        self._done: dict[str, int] = {}

    def update(self, task: str, done: int, total: int, told: str | None = None) -> None:
        """As `Board`."""
        now = self._clock()
        self._starts.setdefault(task, (now, done))
        self._done[task] = done
        if now - self._latest < LINE_SECONDS or done >= total:
            return
        self._latest = now
        rate = self.rate(task)
        left = f", {_duration((total - done) / rate)} left" if rate else ""
        typer.echo(f"{task}: {done:,} of {total:,}{f', {told}' if told else ''}{left}", err=True)

    def rate(self, task: str) -> float | None:
        """As `Board`."""
        if task not in self._starts:
            return None
        start, before = self._starts[task]
        seconds = self._clock() - start
        return (self._done[task] - before) / seconds if seconds > 0 and self._done[task] > before else None


@contextmanager
def board() -> Iterator[Board]:
    """A board for the tasks of a run, which goes when they are over."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        yield Bars(display)


def counting(where: Board, task: str, *, unit: str = "images") -> Progress:
    """Progress of a task that counts images, or other things."""

    def tell(done: int, total: int) -> None:
        stop_if_asked()
        rate = where.rate(task)
        where.update(task, done, total, f"{rate:.0f} {unit}/s" if rate else None)

    return tell


def stepping(where: Board) -> TrainingProgress:
    """Progress of a training or several, each with loss and rate."""

    def tell(report: StepReport) -> None:
        stop_if_asked()
        told = f"loss {report.loss:.3f}, {report.images_per_second:.0f} images/s"
        where.update(report.training.capitalize(), report.step, report.n_steps, told)

    return tell


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Progress of a run that is a single task."""
    with board() as where:
        yield counting(where, what)


def _duration(seconds: float) -> str:
    """A time in words, rounded."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
