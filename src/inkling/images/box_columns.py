"""The columns of a table that make its rows boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inkling.errors import InputError
from inkling.images.boxes import BoxReading
from inkling.types import Box
from inkling.wording import quoted

BOX_ID = "id"
SIDES = ("x", "y", "width", "height")
_FEW = 2
"""Of the four columns, as many may stand there for something else: the size of a picture, a place on a map."""


def boxes_of(columns: Mapping[str, Sequence[str | None]], source: str, reading: BoxReading) -> list[Box | None] | None:
    """The box of each row, None where its four cells are empty; None where the table has no boxes.

    Raises
    ------
    InputError
        If one of the four columns is missing, or a cell is not a number.
    """
    present = [name for name in SIDES if name in columns]
    if len(present) <= _FEW:
        return None
    if len(present) < len(SIDES):
        (missing,) = set(SIDES) - {*present}
        raise InputError(
            f"{source} has columns {', '.join(map(quoted, present))} and no column '{missing}'.",
            remedy=f"Boxes need {', '.join(SIDES)}; rename the columns if they mean something else.",
        )
    numbers = [_numbers(cells, source, row) for row, cells in enumerate(zip(*map(columns.get, SIDES), strict=True), 1)]
    given = [side for box in numbers if box is not None for side in box]
    in_shares = bool(given) and max(given) <= 1
    names = columns.get(BOX_ID, [None] * len(numbers))
    return [
        None if box is None else Box(*box, in_shares, reading.margin, name)
        for box, name in zip(numbers, names, strict=True)
    ]


def _numbers(cells: Sequence[str | None], source: str, row: int) -> tuple[float, float, float, float] | None:
    if not any(cells):
        return None
    try:
        x, y, width, height = (float(cell or "") for cell in cells)
    except ValueError:
        told = ", ".join(f"{name} {quoted(cell or '')}" for name, cell in zip(SIDES, cells, strict=True))
        raise InputError(
            f"Row {row} of {source} has a box that is not of numbers: {told}.",
            remedy="Write four numbers with a decimal point, or leave all four cells empty for the whole picture.",
        ) from None
    return x, y, width, height
