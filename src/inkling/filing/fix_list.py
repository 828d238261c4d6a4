"""A list of corrections as people hand it back: from a spreadsheet, sorted, cut, with columns of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from inkling.errors import InputError
from inkling.images.tables import read_csv
from inkling.labels import class_name
from inkling.wording import quoted

COLUMNS = ("path", "action", "label", "kind", "score", "evidence")
"""As an audit writes them; the first three are read."""
KEEP, RELABEL, DROP = "keep", "relabel", "drop"
ACTIONS = (KEEP, RELABEL, DROP)
_HEADER = "Its first line must name the columns, such as 'path,action,label'."
_SHEETS = "cp1252"
"""What spreadsheets on Windows write unless they are asked for UTF-8."""
_WORKBOOK = b"PK\x03\x04"
SHOWN = 3


@dataclass(frozen=True)
class Fix:
    """What to do with an image.

    Attributes
    ----------
    row
        Where it stands in the list; 1 is the line with the columns.
    path
        The image as the list names it.
    action
        One of `ACTIONS`.
    label
        The new label; for ``keep`` the one that the row has, which must be the image's own; None where there is none.

    Examples
    --------
    >>> Fix(2, "car/1.jpg", "relabel", "boat").label
    'boat'
    """

    row: int
    path: str
    action: str
    label: str | None = None


def read_fix_list(path: str | Path) -> tuple[Fix, ...]:
    """Rows of a list of corrections, those without any cell left out.

    It may be parted by comma, semicolon, tab or bar, in UTF-8, UTF-16 or Windows' own encoding, its rows and columns in
    any order; columns besides ``path``, ``action`` and ``label`` don't count.

    Raises
    ------
    InputError
        If it is no such list, names no image, or a row can't be understood.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("fixes.csv").write_text("action;path\\nDrop;car\\\\1.jpg\\n")
    >>> read_fix_list("fixes.csv")
    (Fix(row=2, path='car\\\\1.jpg', action='drop', label=None),)
    """
    file = Path(path)
    _refuse_workbook(file)
    columns = read_csv(file, key="path", header=_HEADER, otherwise=_SHEETS)
    if "action" not in columns:
        raise InputError(f"'{file}' has no column 'action'.", remedy=f"{_HEADER} An action is {_listed(ACTIONS)}.")
    paths, actions = columns["path"], columns["action"]
    labels = columns.get("label", [None] * len(paths))
    rows = [
        (number, image, action, label)
        for number, (image, action, label) in enumerate(zip(paths, actions, labels, strict=True), start=2)
        if image or action or label
    ]
    if not rows:
        raise InputError(f"'{file}' names no image.", remedy="There is nothing to correct.")
    return tuple(_fix(file, *row) for row in rows)


def _fix(file: Path, number: int, path: str | None, action: str | None, label: str | None) -> Fix:
    where = f"Row {number} of '{file}'"
    if path is None:
        raise InputError(f"{where} names no image.", remedy="Write its path, or take the row out.")
    if action is None or action.lower() not in ACTIONS:
        told = "no action" if action is None else f"the action {quoted(action)}"
        raise InputError(f"{where} ({path}) has {told}.", remedy=f"Write {_listed(ACTIONS)}.")
    if action.lower() == DROP:
        return Fix(number, path, DROP)
    name = class_name(label)
    if action.lower() == KEEP:
        return Fix(number, path, KEEP, name)
    if name is None:
        raise InputError(
            f"{where} ({path}) has the action 'relabel' and no label.", remedy="Write the right class in 'label'."
        )
    return Fix(number, path, RELABEL, name)


def check_kept(fixes: Iterable[tuple[Fix, str | None]]) -> None:
    """Refuse rows that keep an image and name another label than it has: what they mean can't be known.

    Parameters
    ----------
    fixes
        Each with the label of its image.

    Raises
    ------
    InputError
        If there is one.
    """
    for fix, label in fixes:
        if fix.action == KEEP and fix.label not in (None, label):
            raise InputError(
                f"Row {fix.row} ({fix.path}) keeps its image, which is labelled {label}, and names the label "
                f"{quoted(fix.label)}.",
                remedy="Write 'relabel' in 'action', or clear the label.",
            )


def _refuse_workbook(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            is_workbook = opened.read(len(_WORKBOOK)) == _WORKBOOK
    except OSError:  # the reader says why
        return
    if is_workbook:
        raise InputError(f"'{file}' is a workbook.", remedy="Save the sheet as 'CSV UTF-8' and name that file.")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
