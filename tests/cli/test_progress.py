"""Progress in a pipe: a line now and then, none for short work, never a bar."""

from __future__ import annotations

import pytest

from inkling.cli.progress import LINE_SECONDS, Lines, counting, progress_bar


class Clock:
    """Time that passes when it is advanced."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_come_now_and_then_with_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    tell = counting(Lines(clock), "Embedding")
    tell(0, 5000)
    for done in range(10, 2010, 10):
        clock.now += LINE_SECONDS / 40
        tell(done, 5000)
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 5
    assert lines[1].endswith("40 images/s, 2 min left")
    assert lines[-1].endswith(" s left")
    assert all(line.startswith("Embedding: ") for line in lines)


def test_short_work_and_finished_work_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    tell = counting(Lines(clock), "Embedding")
    tell(0, 10)
    tell(5, 10)
    clock.now += 2 * LINE_SECONDS
    tell(10, 10)
    with progress_bar("Predicting") as progress:
        progress(0, 3)
        progress(3, 3)
    assert capsys.readouterr() == ("", "")
