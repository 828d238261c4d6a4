"""The log of a training: one row per look at it, as CSV and, if wanted, as TensorBoard scalars."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from inkling.errors import require
from inkling.finetune.training.step import Score
from inkling.outputs import appearing_whole

LOG = "log.csv"
TENSORBOARD = "tensorboard"


@dataclass(frozen=True)
class Row:
    """Where a training is.

    Attributes
    ----------
    step
        Steps done.
    epoch
        Passes over the training images.
    learning_rate
        Of the last step.
    train_loss, train_top1, train_top5
        Means since the row before, over batches as they were trained on; None before the first step.
    validation_loss, validation_top1, validation_top5
        On the images held out, against all classes; None where none are.
    seconds
        Since the training began, interruptions left out.
    """

    step: int
    epoch: float
    learning_rate: float
    train_loss: float | None
    train_top1: float | None
    train_top5: float | None
    validation_loss: float | None
    validation_top1: float | None
    validation_top5: float | None
    seconds: float

    @classmethod
    def of(
        cls,
        *,
        step: int,
        epoch: float,
        learning_rate: float,
        train: Score | None,
        validation: Score | None,
        seconds: float,
    ) -> Row:
        """From scores of training batches and of held-out images."""
        return cls(step, epoch, learning_rate, *_numbers(train), *_numbers(validation), seconds)


class History:
    """Keeps the rows of a training on disk.

    Parameters
    ----------
    folder
        Of the run.
    up_to
        Steps done. Later rows are dropped: a resumed training makes them again.
    keeps
        Whether this process writes at all.
    tensorboard
        Whether to write scalars as well.
    """

    def __init__(self, folder: Path, *, up_to: int, keeps: bool, tensorboard: bool) -> None:
        self._path, self._keeps = folder / LOG, keeps
        self.rows = [row for row in read_history(folder) if row.step <= up_to]
        self._writer = _scalar_writer(folder / TENSORBOARD, purge_step=up_to + 1) if keeps and tensorboard else None

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, row: Row) -> None:
        """Append a row; the file is whole at any moment. Of one step the first row stays: a new stage begins there."""
        if any(earlier.step == row.step for earlier in self.rows):
            return
        self.rows.append(row)
        if self._keeps:
            self._write(row)

    def _write(self, row: Row) -> None:
        with appearing_whole(self._path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Row)])
            writer.writeheader()
            writer.writerows(asdict(one) for one in self.rows)
        if self._writer is not None:
            for name, value in asdict(row).items():
                if value is not None and name != "step":
                    self._writer.add_scalar(name.replace("_", "/", 1), value, row.step)


def read_history(folder: Path) -> list[Row]:
    """Rows of the log in a run's folder; none where there is no log."""
    path = folder / LOG
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_row(line) for line in csv.DictReader(file)]


def _row(line: dict[str, str]) -> Row:
    values: dict[str, Any] = {name: float(text) if text else None for name, text in line.items()}
    return Row(**{**values, "step": int(line["step"])})


def _scalar_writer(folder: Path, *, purge_step: int) -> Any:
    require("tensorboard", extra="finetune")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=purge_step)


def _numbers(score: Score | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if score is None else (score.loss, score.top1, score.top5)
