"""Top-1 by what a table holds about its images besides their class, such as camera, site or day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from inkling.errors import InputError
from inkling.evaluate.metrics import predicted_classes
from inkling.evaluate.run import EvaluatedRun
from inkling.evaluate.uncertainty import Interval, exact_interval
from inkling.images.boxes import BoxReading, shown
from inkling.images.tables import TABLE_SUFFIXES, Row, read_column

EMPTY = "(empty)"
"""Group of the images whose cell is empty."""


@dataclass(frozen=True)
class GroupScore:
    """Images of one group.

    Attributes
    ----------
    group
        The value of the column.
    n
        Test images that count.
    top1, interval
        Share that is named correctly, and the exact 95 % interval of it.
    """

    group: str
    n: int
    top1: float
    interval: Interval

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"group": self.group, "n": self.n, "top1": self.top1, "ci95": [self.interval.low, self.interval.high]}


@dataclass(frozen=True)
class GroupedScores:
    """Top-1 of all groups by a column, the worst first."""

    column: str
    groups: tuple[GroupScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"column": self.column, "groups": [one.to_json() for one in self.groups]}


def groups_of_table(source: str | Path, column: str, boxes: BoxReading | None = None) -> Mapping[str, str]:
    """The group of each image of a table, by the path that the image, or the box in it, is shown with.

    Raises
    ------
    InputError
        If the source is no table, or has no such column.
    """
    table = Path(source)
    if table.suffix.lower() not in TABLE_SUFFIXES or not table.is_file():
        raise InputError(
            f"'{source}' is no table, so it has no column '{column}'.",
            remedy="Name a .csv, .jsonl or .parquet with the columns path, label and that one as the test images.",
        )
    reading = boxes or BoxReading()
    folder = Path(reading.root or table.parent)
    cells = read_column(table, column, reading)
    # Tables that were written on Windows part folders by backslashes.
    slashed = [(replace(row, path=row.path.replace("\\", "/")), value) for row, value in cells]
    # Of a path that is named twice the first row counts, as it does for the label.
    return {_shown(folder, row): value for row, value in reversed([*cells, *slashed])}


def _shown(folder: Path, row: Row) -> str:
    file = str(folder / row.path)
    return file if row.box is None else shown(file, row.box)


def group_scores(run: EvaluatedRun, groups: Mapping[str, str]) -> tuple[GroupScore, ...]:
    """Top-1 of each group, the worst first; of equal ones that with more images.

    Parameters
    ----------
    groups
        Group by path of the image; images of none are put together.
    """
    known = run.y >= 0
    right = predicted_classes(run.p) == run.y
    of_image = np.array([groups.get(path, EMPTY) for path in run.samples.paths], dtype=object)
    found = []
    for group in sorted(set(of_image[known].tolist())):
        counted = right[known & (of_image == group)]
        interval = exact_interval(int(counted.sum()), len(counted))
        found.append(GroupScore(group, len(counted), float(counted.mean()), interval))
    return tuple(sorted(found, key=lambda one: (one.top1, -one.n)))
