"""The log can be read back, and a resumed training does not repeat its rows."""

from __future__ import annotations

from pathlib import Path

from inkling.finetune.training.history import TENSORBOARD, History, Row, read_history
from inkling.finetune.training.step import Score


def row(step: int, *, validation: Score | None = None) -> Row:
    train = Score(0.1 * step, 0.5, 1.0) if step else None
    return Row.of(step=step, epoch=step / 3, learning_rate=1e-7, train=train, validation=validation, seconds=1.5)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    with History(tmp_path, up_to=0, keeps=True, tensorboard=False) as history:
        history.add(row(0))
        history.add(row(3, validation=Score(1 / 3, 0.25, 1.0)))
    assert read_history(tmp_path) == [row(0), row(3, validation=Score(1 / 3, 0.25, 1.0))]


def test_resuming_drops_what_comes_after(tmp_path: Path) -> None:
    with History(tmp_path, up_to=0, keeps=True, tensorboard=False) as history:
        for step in (0, 3, 6):
            history.add(row(step))
    with History(tmp_path, up_to=4, keeps=True, tensorboard=False) as history:
        history.add(row(5))
    assert [one.step for one in read_history(tmp_path)] == [0, 3, 5]


def test_a_process_that_does_not_keep_the_log_writes_nothing(tmp_path: Path) -> None:
    with History(tmp_path, up_to=0, keeps=False, tensorboard=True) as history:
        history.add(row(0))
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_gets_the_same_numbers(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with History(tmp_path, up_to=0, keeps=True, tensorboard=True) as history:
        history.add(row(0))
        history.add(row(3, validation=Score(0.25, 0.5, 1.0)))
    events = EventAccumulator(str(tmp_path / TENSORBOARD))
    events.Reload()
    assert {"train/loss", "validation/loss", "validation/top1", "validation/top5", "learning/rate"} <= set(
        events.Tags()["scalars"]
    )
    assert [(one.step, one.value) for one in events.Scalars("validation/loss")] == [(3, 0.25)]
