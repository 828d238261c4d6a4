"""Accuracies with their intervals on one common axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inkling.evaluate.results import Evaluation
from inkling.evaluate.uncertainty import Interval
from inkling.reports.formats import percent

_MOST_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A mark on the axis, `at` percent of its length."""

    at: float
    label: str


@dataclass(frozen=True)
class Row:
    """One classifier: its figure and interval, in percent of the axis's length."""

    name: str
    value: str
    at: float
    low: float
    width: float
    is_baseline: bool


@dataclass(frozen=True)
class ComparisonFigure:
    """Rows and ticks, from the top and from the left."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


def comparison_figure(evaluation: Evaluation) -> ComparisonFigure:
    """Top-1 of the head, and of zero-shot where it was measured."""
    head = evaluation.context.head
    measured = [("Inkling" if head is None else f"Inkling, {head}", evaluation.scores, False)]
    if evaluation.zero_shot is not None:
        measured.append(("Zero-shot", evaluation.zero_shot.scores, True))
    spans = [scores.intervals["top1"] or Interval(scores.top1, scores.top1) for _, scores, _ in measured]
    start, end, step = _axis(spans)
    length = end - start

    def position(share: float) -> float:
        return round(100 * (100 * share - start) / length, 2)

    rows = tuple(
        Row(
            name=name,
            value=percent(scores.top1),
            at=position(scores.top1),
            low=position(span.low),
            width=round(position(span.high) - position(span.low), 2),
            is_baseline=is_baseline,
        )
        for (name, scores, is_baseline), span in zip(measured, spans, strict=True)
    )
    ticks = tuple(Tick(position(at / 100), f"{at}") for at in range(start, end + 1, step))
    return ComparisonFigure(rows, ticks)


def _axis(spans: Sequence[Interval]) -> tuple[int, int, int]:
    """Start, end and step in percent: round numbers around all intervals, with few ticks."""
    low = 100 * min(span.low for span in spans)
    high = 100 * max(span.high for span in spans)
    for step in (2, 5, 10, 20):
        start = max(0, step * math.floor((low - step / 2) / step))
        end = min(100, step * math.ceil((high + step / 2) / step))
        if (end - start) / step < _MOST_TICKS:
            return start, end, step
    return 0, 100, 20
