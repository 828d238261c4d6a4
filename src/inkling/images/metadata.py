"""Tables that lie beside the pictures they describe: ``metadata.csv`` and its like in data sets of Hugging Face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from inkling.images.boxes import BoxReading
from inkling.images.layout import is_split
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


def described_files(root: Path, reading: BoxReading) -> Described | None:
    """What the tables of a folder describe; None where it has none with a column ``file_name``.

    A table describes files by their paths from its own folder: the root, or a folder of a split below it.

    Raises
    ------
    InputError
        If a table can't be read.
    """
    folders = [root, *sorted(one for one in root.iterdir() if is_split(one.name) and one.is_dir())]
    paths = [path for folder in folders if (path := _table_in(folder)) is not None]
    if not paths:
        return None
    rows: list[Row] = []
    kinds: list[Kind] = []
    for path in paths:
        table = read_table(path, reading)
        kinds.append(table.label_kind)
        rows += [_from_root(row, path.parent, root) for row in table.rows]
    return Described(tuple(rows), kinds[0] if len({*kinds}) == 1 else Kind.TEXT, len(paths), paths[0].suffix.lower())


def _table_in(folder: Path) -> Path | None:
    candidates = (folder / name for name in NAMES)
    return next((one for one in candidates if one.is_file() and names_files(one)), None)


def _from_root(row: Row, folder: Path, root: Path) -> Row:
    below = PurePosixPath(folder.relative_to(root).as_posix())
    path = str(below / row.path.replace("\\", "/"))
    return replace(row, path=path, split=row.split or (None if folder == root else folder.name))
