"""Tables on standard output. Neither words nor paths are broken: where they don't fit, a row takes several lines."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from inkling.wording import visible

PIPE_WIDTH = 100
"""Columns of a table where there is no terminal."""
_GAP = 3
"""Characters between two columns."""
_INDENT = "    "


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Sequence[int] = (), whole: Sequence[int] = ()
) -> None:
    """A table on standard output, as wide as the terminal, or `PIPE_WIDTH`.

    Parameters
    ----------
    columns, rows
        Titles and cells.
    numbers
        Columns to align right.
    whole
        Columns whose cells are kept in one piece, so that they can be copied; in others, lines break between words.
    """
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    widths = column_widths([columns, *cells], whole, console.width - _GAP * len(columns) + 1)
    if widths is None:
        for line in stacked(columns, cells, console.width):
            console.out(line, highlight=False)
    else:
        console.print(_table(columns, cells, numbers, widths))


def column_widths(rows: Sequence[Sequence[str]], whole: Sequence[int], room: int) -> list[int] | None:
    """Widths that break no word and no path, with what is left over shared out; None where there is no room."""
    from rich.cells import cell_len

    natural = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    widths = [
        natural[k] if k in whole else max(cell_len(word) for cell in column for word in cell.split() or [""])
        for k, column in enumerate(zip(*rows, strict=True))
    ]
    spare = room - sum(widths)
    if spare < 0:
        return None
    wanting = sorted(range(len(widths)), key=lambda k: natural[k] - widths[k])
    for n_done, k in enumerate(wanting):
        more = min(natural[k] - widths[k], spare // (len(wanting) - n_done))
        widths[k] += more
        spare -= more
    return widths


def stacked(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Lines of a table whose rows are too wide: the first cell of each, and its others with their titles below it."""
    how: Any = {"width": width, "subsequent_indent": _INDENT, "break_long_words": False, "break_on_hyphens": False}
    if len(columns) == 2:
        return ["", *(line for name, value in rows for line in textwrap.wrap(f"{name}: {value}", **how))]
    lines = [""]
    for first, *others in rows:
        named = [(title, cell) for title, cell in zip(columns[1:], others, strict=True) if cell]
        described = "; ".join(f"{title}: {cell}" if title else cell for title, cell in named)
        lines += [first, *textwrap.wrap(described, initial_indent=_INDENT, **how)]
    return lines


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], widths: Sequence[int]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
        table.add_column(column, justify="right" if k in numbers else "left", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
