"""Lines stay in their frame, with round numbers beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.reports.figures.lines import HEIGHT, WIDTH, line_chart

NUMBERS = st.floats(0, 1e6, allow_nan=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40))
def test_points_and_ticks_lie_within_the_frame(points: list[tuple[float, float]]) -> None:
    chart = line_chart("Loss", {"training": points}, x_name="step")
    assert chart is not None
    for pair in chart.lines[0].path.split():
        x, y = map(float, pair.split(","))
        assert -0.1 <= x <= WIDTH + 0.1
        assert -0.1 <= y <= HEIGHT + 0.1
    for ticks, end in ((chart.x_ticks, WIDTH), (chart.y_ticks, HEIGHT)):
        assert 2 <= len(ticks) <= 8
        assert {ticks[0].at, ticks[-1].at} == {0.0, end}


def test_higher_values_are_drawn_higher() -> None:
    chart = line_chart("Top-1", {"held out": [(0, 0.25), (1, 0.75)]}, x_name="share", as_share=True, marked=1)
    assert chart is not None
    (low, high) = (float(pair.split(",")[1]) for pair in chart.lines[0].path.split())
    assert high < low
    assert chart.marked == WIDTH
    assert chart.lines[0].value == "75\u202f%"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_share_beyond_all_is_marked(share: float) -> None:
    chart = line_chart("Top-5", {"training": [(0, share), (5, share)]}, x_name="step", as_share=True)
    assert chart is not None
    shown = [float(tick.text.removesuffix("\u202f%")) for tick in chart.y_ticks]
    assert min(shown) >= 0
    assert max(shown) <= 100


def test_lines_without_points_are_left_out() -> None:
    assert line_chart("Loss", {"training": [], "held out": []}, x_name="step") is None
    chart = line_chart("Loss", {"training": [(0, 1.0), (1, 0.5)], "held out": []}, x_name="step")
    assert chart is not None
    assert [line.name for line in chart.lines] == ["training"]
