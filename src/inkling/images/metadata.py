"""Tables that lie beside the pictures they describe: ``metadata.csv`` and its like in data sets of Hugging Face."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from inkling.images.boxes import BoxReading
from inkling.images.layout import is_split
from inkling.images.places import Place, is_url
from inkling.images.tables import Row, names_files, read_table
from inkling.labels import Kind

NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


@dataclass(frozen=True)
class Described:
    """Rows of such tables, their paths relative to the folder of the data set.

    Attributes
    ----------
    rows
        Those below a folder that is named like a split are of that split, unless their table says otherwise.
    label_kind
        What their labels are of.
    n_tables, suffix
        How many tables there are, and their ending.
    """

    rows: tuple[Row, ...]
    label_kind: Kind
    n_tables: int
    suffix: str


def described_files(root: Place, others: Collection[PurePosixPath], reading: BoxReading) -> Described | None:
    """What the tables of a folder describe; None where it has none with a column ``file_name``.

    A table describes files by their paths from its own folder: the root, or a folder of a split below it.

    Parameters
    ----------
    root
        The folder.
    others
        Names of its files that may be such tables, relative to it.
    reading
        How boxes are read.

    Raises
    ------
    InputError
        If a table can't be read.
    """
    folders = [
        PurePosixPath(),
        *sorted({one.parent for one in others if len(one.parts) == 2 and is_split(one.parts[0])}),
    ]
    paths = [path for folder in folders if (path := _table_in(folder, root, others)) is not None]
    if not paths:
        return None
    rows: list[Row] = []
    kinds: list[Kind] = []
    for path in paths:
        table = read_table(root / path, reading)
        kinds.append(table.label_kind)
        rows += [_from_root(row, path.parent) for row in table.rows]
    return Described(tuple(rows), kinds[0] if len({*kinds}) == 1 else Kind.TEXT, len(paths), paths[0].suffix.lower())


def _table_in(folder: PurePosixPath, root: Place, others: Collection[PurePosixPath]) -> PurePosixPath | None:
    candidates = (folder / name for name in NAMES)
    return next((one for one in candidates if one in others and names_files(root / one)), None)


def _from_root(row: Row, below: PurePosixPath) -> Row:
    path = row.path if is_url(row.path) else str(below / row.path.replace("\\", "/"))
    return replace(row, path=path, split=row.split or (below.name or None))
