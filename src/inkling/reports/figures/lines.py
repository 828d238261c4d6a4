"""Lines over a scale, such as a loss over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inkling.reports.formats import percent

WIDTH, HEIGHT = 300.0, 168.0
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MOST_TICKS = 5
_SMALLEST = 1e-30
_FEW = 12

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A mark at `at` pixels from the left or from below, with its number."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A named line.

    Attributes
    ----------
    path
        Points of an SVG polyline.
    dots
        Its points; a line of many points has none.
    value
        Its value at the mark of the chart, else its last one, as text.
    """

    name: str
    path: str
    dots: tuple[tuple[float, float], ...]
    value: str


@dataclass(frozen=True)
class LineChart:
    """Lines in a frame of `WIDTH` x `HEIGHT`, y counted from above as SVG does.

    Attributes
    ----------
    marked
        Pixels from the left of a value that is pointed out, or None.
    valued_at
        Where the values of the lines are taken, in words.
    """

    title: str
    x_name: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marked: float | None
    valued_at: str


def line_chart(
    title: str,
    series: Mapping[str, Points],
    *,
    x_name: str,
    as_share: bool = False,
    marked: float | None = None,
) -> LineChart | None:
    """Lay out lines; None where there is nothing to draw.

    Parameters
    ----------
    series
        Points (x, y) of each line by its name; empty ones are left out.
    as_share
        Whether y is a share, shown in percent.
    marked
        A value of x to point out.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return None
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    x_scale = _Scale.over(xs, WIDTH, from_zero=True)
    y_scale = _Scale.over(ys, HEIGHT, from_zero=not as_share, at_most=1.0 if as_share else math.inf)
    write = _percent if as_share else _number

    def line(name: str, points: Points) -> Line:
        places = tuple((x_scale.at(x), round(HEIGHT - y_scale.at(y), 1)) for x, y in points)
        path = " ".join(f"{x},{y}" for x, y in places)
        return Line(name, path, places if len(places) <= _FEW else (), write(_value(points, marked)))

    return LineChart(
        title=title,
        x_name=x_name,
        lines=tuple(line(name, points) for name, points in drawn.items()),
        x_ticks=tuple(Tick(x_scale.at(value), _number(value)) for value in x_scale.ticks),
        y_ticks=tuple(Tick(round(HEIGHT - y_scale.at(value), 1), write(value)) for value in y_scale.ticks),
        marked=None if marked is None else x_scale.at(marked),
        valued_at="at the end" if marked is None else f"at {x_name} {marked:g}",
    )


def _value(points: Points, marked: float | None) -> float:
    """The value at the mark, or at the point next to it; without a mark, the last one."""
    return points[-1][1] if marked is None else min(points, key=lambda point: abs(point[0] - marked))[1]


@dataclass(frozen=True)
class _Scale:
    """Values from `low` to `high` over so many pixels, with round numbers to mark."""

    low: float
    high: float
    pixels: float
    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float], pixels: float, *, from_zero: bool, at_most: float = math.inf) -> _Scale:
        low, high = (min(0.0, *values) if from_zero else min(values)), max(values)
        span = high - low if high - low > _SMALLEST else abs(high)
        step = _round_step(span if span > _SMALLEST else 1.0)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if first == last:
            first, last = (first, last + 1) if (last + 1) * step <= at_most else (first - 1, last)
        ticks = tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))
        return cls(ticks[0], ticks[-1], pixels, ticks)

    def at(self, value: float) -> float:
        """Pixels from the lower end."""
        return round(self.pixels * (value - self.low) / (self.high - self.low), 1)


def _round_step(span: float) -> float:
    rough = span / _MOST_TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    return next(step * size for step in _STEPS if step * size >= rough * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _percent(value: float) -> str:
    return percent(value, digits=0 if round(100 * value, 6) % 1 == 0 else 1)
