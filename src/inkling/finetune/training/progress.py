"""Progress of a training."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class StepReport:
    """One step that is done.

    Attributes
    ----------
    step, n_steps
        Steps done, and those of the whole training.
    loss
        Of the step's batch.
    images_per_second
        Over the steps since the training began or went on.
    seconds_left
        Until the last step, at that rate.
    training
        Which of several trainings it belongs to, such as ``fold 1 of 3``.
    """

    step: int
    n_steps: int
    loss: float
    images_per_second: float
    seconds_left: float
    training: str = "training"


class TrainingProgress(Protocol):
    """Called after each step."""

    def __call__(self, report: StepReport) -> None:
        """A step is done."""
        ...


def silent(report: StepReport) -> None:
    """Reports nothing."""


def named(progress: TrainingProgress, training: str) -> TrainingProgress:
    """Adds to each report which training it belongs to."""
    return lambda report: progress(replace(report, training=training))


class Clock:
    """Time spent, time left, and when the next checkpoint is due.

    Parameters
    ----------
    spent
        Seconds before an interruption.
    step, n_steps
        Steps done by then, and those of the whole training.
    batch_size
        Images of a step.
    """

    def __init__(self, *, spent: float, step: int, n_steps: int, batch_size: int) -> None:
        self._spent, self._first, self._n_steps, self._batch_size = spent, step, n_steps, batch_size
        self._start = self._kept = time.monotonic()

    def seconds(self) -> float:
        """Spent in all."""
        return self._spent + time.monotonic() - self._start

    def is_due(self, interval: float) -> bool:
        """Whether so many seconds have passed since the last checkpoint."""
        return time.monotonic() - self._kept >= interval

    def kept(self) -> None:
        """A checkpoint is written."""
        self._kept = time.monotonic()

    def report(self, step: int, loss: float) -> StepReport:
        """What to tell after so many steps."""
        per_step = (time.monotonic() - self._start) / (step - self._first)
        return StepReport(step, self._n_steps, loss, self._batch_size / per_step, (self._n_steps - step) * per_step)
