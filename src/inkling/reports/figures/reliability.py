"""How sure the classifier said it was, against how often it was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.evaluate.uncertainty import exact_interval
from inkling.heads.calibration import N_BINS, ReliabilityBin, reliability
from inkling.reports.formats import count, percent
from inkling.types import FloatArray, IntArray

PLOT = 300.0
BARS_HEIGHT = 52.0
N_BARS = 20
_FEWEST_BINS, _FEWEST_IN_BIN = 3, 20


@dataclass(frozen=True)
class Point:
    """A bin of equal mass at (x, y) from the plot's lower left, with the ends of its 95 % interval."""

    x: float
    y: float
    low: float
    high: float
    part: ReliabilityBin
    title: str


@dataclass(frozen=True)
class Bar:
    """Images with a confidence from `x` on, `width` wide; the tallest bar fills `BARS_HEIGHT`."""

    x: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class ReliabilityFigure:
    """Points of the diagram and bars of the histogram below it; `mean_confidence` over all images."""

    points: tuple[Point, ...]
    bars: tuple[Bar, ...]
    largest_count: int
    mean_confidence: float


def reliability_figure(p: FloatArray, y: IntArray) -> ReliabilityFigure:
    """Lay out the diagram for probabilities (n, n_classes) and true columns (n,).

    Bins hold 20 images at least where there are enough, so that their intervals leave something to see.
    """
    bins = min(N_BINS, max(len(y) // _FEWEST_IN_BIN, _FEWEST_BINS))
    confidence = p.max(axis=1)
    counts, edges = np.histogram(confidence, bins=N_BARS, range=(0.0, 1.0))
    largest = int(counts.max())
    bars = tuple(
        _bar(int(number), float(edges[i]), float(edges[i + 1]), largest) for i, number in enumerate(counts) if number
    )
    points = tuple(_point(part) for part in reliability(p, y, bins=bins))
    return ReliabilityFigure(points, bars, largest, float(confidence.mean()))


def _point(part: ReliabilityBin) -> Point:
    interval = exact_interval(round(part.accuracy * part.count), part.count)
    images = count(part.count, "image")
    return Point(
        x=round(PLOT * part.confidence, 1),
        y=round(PLOT * part.accuracy, 1),
        low=round(PLOT * interval.low, 1),
        high=round(PLOT * interval.high, 1),
        part=part,
        title=f"{images}: {percent(part.confidence)} sure, {percent(part.accuracy)} right",
    )


def _bar(number: int, start: float, end: float, largest: int) -> Bar:
    span = f"between {percent(start, digits=0)} and {percent(end, digits=0)} sure"
    return Bar(
        x=round(PLOT * start, 1),
        width=round(PLOT * (end - start), 1),
        height=round(max(BARS_HEIGHT * number / largest, 1.0), 1),
        title=f"{count(number, 'image')} {span}",
    )
