"""Which classes are taken for which: a table of few classes, a compact matrix of many, the worst pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.evaluate.results import Evaluation
from inkling.reports.formats import isolated
from inkling.types import FloatArray, IntArray

MOST_CLASSES_IN_TABLE = 20
MOST_PAIRS = 10
MOST_CELLS = 4000
SIDE = 480.0
_SMALLEST_CELL = 1.6
_LEVEL_STARTS = (0.05, 0.15, 0.35)


@dataclass(frozen=True)
class Cell:
    """One count. `level` (1 to 4) is the depth of its shade, by its share of the true class's images."""

    count: int
    level: int
    is_right: bool
    title: str


@dataclass(frozen=True)
class TableRow:
    """A true class and its cells, in the order of the columns."""

    name: str
    support: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Mark:
    """A cell of the compact matrix at (x, y), in the units of `SIDE`."""

    x: float
    y: float
    cell: Cell


@dataclass(frozen=True)
class ConfusedPair:
    """Images of class `true` that were named `predicted`, and their share of that class's images."""

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class ConfusionFigure:
    """Either `table` (few classes) or `marks` (many); `pairs` in both cases.

    Attributes
    ----------
    cell_side
        Width of a cell of the compact matrix.
    n_marks_left_out
        Cells that are not drawn because there are too many; those with the smallest counts.
    """

    table: tuple[TableRow, ...]
    marks: tuple[Mark, ...]
    cell_side: float
    n_marks_left_out: int
    pairs: tuple[ConfusedPair, ...]
    n_pairs: int


def confusion_figure(evaluation: Evaluation) -> ConfusionFigure:
    """Lay out the confusion matrix for its number of classes."""
    is_small = len(evaluation.classes) <= MOST_CLASSES_IN_TABLE
    marks = () if is_small else _marks(evaluation)
    wrong = _without_diagonal(evaluation.confusion)
    return ConfusionFigure(
        table=_table(evaluation) if is_small else (),
        marks=marks,
        cell_side=round(max(SIDE / len(evaluation.classes), _SMALLEST_CELL), 2),
        n_marks_left_out=0 if is_small else int((evaluation.confusion > 0).sum()) - len(marks),
        pairs=_confused_pairs(evaluation),
        n_pairs=int((wrong > 0).sum()),
    )


def most_confused_with(evaluation: Evaluation) -> dict[str, tuple[str, int]]:
    """For each class with mistakes, the class that its images are most often taken for, and how often."""
    wrong = _without_diagonal(evaluation.confusion)
    worst = wrong.argmax(axis=1)
    return {
        name: (evaluation.classes[worst[i]], int(wrong[i, worst[i]]))
        for i, name in enumerate(evaluation.classes)
        if wrong[i, worst[i]] > 0
    }


def _without_diagonal(confusion: IntArray) -> IntArray:
    return confusion * (1 - np.eye(len(confusion), dtype=confusion.dtype))


def _cell(evaluation: Evaluation, shares: FloatArray, i: int, j: int) -> Cell:
    count, (true, named) = int(evaluation.confusion[i, j]), (evaluation.classes[i], evaluation.classes[j])
    return Cell(
        count=count,
        level=1 + int(np.searchsorted(_LEVEL_STARTS, shares[i, j], side="right")),
        is_right=i == j,
        title=f"{isolated(true)} named {isolated(named)}: {count}",
    )


def _shares(confusion: IntArray) -> FloatArray:
    return np.asarray(confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1))


def _table(evaluation: Evaluation) -> tuple[TableRow, ...]:
    shares = _shares(evaluation.confusion)
    columns = range(len(evaluation.classes))
    return tuple(
        TableRow(entry.name, entry.support, tuple(_cell(evaluation, shares, i, j) for j in columns))
        for i, entry in enumerate(evaluation.per_class)
    )


def _confused_pairs(evaluation: Evaluation) -> tuple[ConfusedPair, ...]:
    """The most frequent confusions first; among equals the larger share of its class."""
    wrong = _without_diagonal(evaluation.confusion)
    shares = _shares(evaluation.confusion)
    pairs = sorted(np.argwhere(wrong).tolist(), key=lambda ij: (-wrong[*ij], -shares[*ij]))
    return tuple(
        ConfusedPair(evaluation.classes[i], evaluation.classes[j], int(evaluation.confusion[i, j]), float(shares[i, j]))
        for i, j in pairs[:MOST_PAIRS]
    )


def _marks(evaluation: Evaluation) -> tuple[Mark, ...]:
    """Cells with the largest counts; the diagonal last, so that thin cells beside it do not cover it."""
    shares = _shares(evaluation.confusion)
    place = np.argsort(_order_by_confusion(evaluation.confusion))
    cells = np.argwhere(evaluation.confusion)
    heaviest = np.argsort(-evaluation.confusion[tuple(cells.T)], kind="stable")[:MOST_CELLS]
    side = SIDE / len(evaluation.classes)
    marks = (
        Mark(
            x=round(float(place[j] * side), 2),
            y=round(float(place[i] * side), 2),
            cell=_cell(evaluation, shares, i, j),
        )
        for i, j in cells[heaviest].tolist()
    )
    return tuple(sorted(marks, key=lambda mark: mark.cell.is_right))


def _order_by_confusion(confusion: IntArray) -> IntArray:
    """Classes that are taken for one another side by side: leaves of average linkage on their confusions."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = _shares(confusion)
    distance = 1 - np.clip((shares + shares.T) / 2, 0, 1)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(leaves_list(linkage(squareform(distance, checks=False), method="average")))
