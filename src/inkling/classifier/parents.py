"""Groups of classes as the user gives them: a file of children and parents, a mapping, or a hierarchy."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from inkling.errors import InputError
from inkling.heads.hierarchy import Hierarchy
from inkling.labels import class_name
from inkling.wording import excerpt, quoted

CHILD = ("child", "class", "label")
PARENT = ("parent", "parents")
SEPARATOR = "|"
"""Between a parent, its own parent, and so on, in one cell."""
DELIMITERS = ",;\t"
"""Between cells: spreadsheets write semicolons where the comma is the decimal point."""
_REMEDY = (
    f"Give a CSV file in UTF-8 with the columns '{CHILD[0]}' and '{PARENT[0]}', or a table of images with the columns "
    f"'{CHILD[-1]}' and '{PARENT[-1]}'; a cell may name several, narrowest first: vehicle{SEPARATOR}machine."
)

Parents = str | os.PathLike[str] | Mapping[str, str] | Hierarchy


def read_parents(source: Parents | None, classes: Sequence[str] | None = None) -> Hierarchy | None:
    """Groups from a CSV file, from a mapping of children to parents, or as they are; None where nobody gave any.

    Parameters
    ----------
    classes
        Classes that they must be of; None where they are not known yet.

    Raises
    ------
    InputError
        If the file can't be read or lacks a column, a child has two parents, groups hold each other in a circle, or
        there is none; if they are of other classes.
    """
    found = None if source is None else _hierarchy(source)
    if found is not None and classes is not None:
        found.check(classes)
    return found


def _hierarchy(source: Parents) -> Hierarchy:
    if isinstance(source, Hierarchy):
        return source
    if isinstance(source, str | os.PathLike):
        return Hierarchy.of(_pairs_of_file(Path(source)))
    if not isinstance(source, Mapping):
        kind = type(source).__name__
        raise InputError(f"Parents must be a file, a mapping or a Hierarchy, got {kind}.", remedy=_REMEDY)
    for child, parent in source.items():
        if not isinstance(parent, str):
            raise InputError(
                f"The parent of {quoted(child)} must be text, the name of a group, got {quoted(parent)}.",
                remedy="Write the name as text, and leave a class without a group out.",
            )
    return Hierarchy.of(_pairs((child, parent) for child, parent in source.items()))


def _pairs_of_file(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(DELIMITERS, key=header.count))
            columns = rows.fieldnames or ()
            child, parent = _column(columns, CHILD, path), _column(columns, PARENT, path)
            return list(_pairs((row[child], row[parent]) for row in rows))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The parents '{path}' can't be read: {excerpt(error)}.", remedy=_REMEDY) from error


def _column(columns: Sequence[str], names: Sequence[str], path: Path) -> str:
    for column in columns:
        if column.strip().lower() in names:
            return column
    has = ", ".join(f"'{excerpt(column)}'" for column in columns)
    what = f"only {has}" if has else "nor any other"
    raise InputError(f"The parents '{path}' have no column '{names[0]}', {what}.", remedy=_REMEDY)


def _pairs(rows: Iterator[tuple[str | None, str | None]]) -> Iterator[tuple[str, str]]:
    """Steps up, from rows of a child and the parents above it; a row without one says nothing."""
    for child, parents in rows:
        way = [class_name(one) for one in (child, *str(parents or "").split(SEPARATOR))]
        named = [name for name in way[1:] if name is not None]
        if way[0] is not None and named:
            yield from zip([way[0], *named], named, strict=False)
