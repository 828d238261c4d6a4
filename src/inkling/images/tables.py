"""Rows of tables that list images: CSV, Parquet, lines of JSON, and plain lists of paths. No image is opened."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from inkling.errors import InputError, require
from inkling.images.box_columns import BOX_ID, SIDES, boxes_of
from inkling.images.boxes import BoxReading
from inkling.images.documents import parsed_json
from inkling.images.places import Place
from inkling.labels import Kind, class_name, read_labels
from inkling.types import Box
from inkling.wording import excerpt

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".parquet", ".jsonl"})

PATH = "path"
FILE_NAME = "file_name"
LABEL = "label"
SPLIT = "split"
GROUP = "group"
_COLUMNS = (PATH, FILE_NAME, LABEL, SPLIT, GROUP, BOX_ID, *SIDES)

_DELIMITERS = ",;\t|"
_OTHER_NAMES = ("file", "filename", "image")
_HEADER = "Its first line must name the columns, such as 'path,label'."

_Column = list[str | None]


@dataclass(frozen=True)
class Row:
    """One image of a table; None where the table lacks the column or the cell is empty."""

    path: str
    label: str | None = None
    split: str | None = None
    box: Box | None = None
    group: str | None = None


@dataclass(frozen=True)
class Table:
    """Rows of a table, and what its labels are of: Parquet has numbers, of which CSV knows nothing."""

    rows: tuple[Row, ...]
    label_kind: Kind = Kind.TEXT


def read_table(path: Place, reading: BoxReading | None = None) -> Table:
    """Rows of a table with a column ``path`` or ``file_name``, and optionally ``label``, ``split`` and ``group``.

    Columns ``x``, ``y``, ``width`` and ``height``, all four, make each row a box, which ``id`` may name. They are
    shares of the picture's sides if none of their numbers is above 1, else pixels; a row without them is of the whole
    picture.

    Column names are read without regard to case. Rows without a path are left out.

    Raises
    ------
    InputError
        If the file is not such a table, or has no column ``path``.
    """
    columns, kind = _read_columns(path)
    rows = _rows(columns, f"'{path}'", reading)
    if not rows:
        name = PATH if PATH in columns else FILE_NAME
        raise InputError(
            f"'{path}' has a column '{name}' and no row with a path in it.", remedy="Write a row for each image."
        )
    return Table(tuple(rows), kind)


def names_files(path: Place) -> bool:
    """Whether a table has a column ``file_name``, as data sets of Hugging Face have it beside their pictures.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    try:
        return FILE_NAME in _read_columns(path)[0]
    except _NoColumnError:
        return False


def read_column(path: Place, name: str, reading: BoxReading | None = None) -> list[tuple[Row, str]]:
    """Cells of any column of a table beside their rows; rows whose cell is empty are left out.

    Raises
    ------
    InputError
        If the file is no table of images, or has no such column.
    """
    key = _key(name)
    columns, _ = _read_columns(path, more=(key,))
    if key not in columns:
        raise InputError(
            f"'{path}' has no column '{name}'; its columns are: {excerpt(', '.join(columns))}.",
            remedy="Name a column of the table, such as camera, site or day.",
        )
    paths = columns[PATH if PATH in columns else FILE_NAME]
    cells = [cell for file, cell in zip(paths, columns[key], strict=True) if file is not None]
    rows = _rows(columns, f"'{path}'", reading)
    return [(row, cell) for row, cell in zip(rows, cells, strict=True) if cell is not None]


def _read_columns(path: Place, *, more: Sequence[str] = ()) -> tuple[Mapping[str, _Column], Kind]:
    """The columns that count and some more by name, labels as names of classes, and what they were of."""
    wanted = {*_COLUMNS, *more}
    match path.suffix.lower():
        case ".parquet":
            cells = _read_parquet(path, wanted)
        case ".jsonl":
            cells = _read_lines(path, wanted)
        case _:
            return read_csv(path, key=PATH, header=_HEADER, instead=FILE_NAME), Kind.TEXT
    labels = read_labels(cells.pop(LABEL, []))
    read = {name: list(map(_cell, values)) for name, values in cells.items()}
    return read | ({LABEL: list(labels.names)} if labels.names else {}), labels.kind


def read_list(lines: Iterable[str], reading: BoxReading | None = None) -> list[Row]:
    """One path per line, blank lines left out; or a CSV, told by a first line with ``path`` and ``label``."""
    text = "".join(lines).removeprefix("\ufeff")
    header = text.partition("\n")[0]
    if any({PATH, LABEL} <= set(_names(header, mark)) for mark in _DELIMITERS):
        return _rows(_parsed(text, "standard input", key=PATH, header=_HEADER), "standard input", reading)
    return [Row(path) for line in text.split("\n") if (path := line.rstrip("\r")).strip()]


def read_csv(
    path: Place, *, key: str, header: str, instead: str | None = None, otherwise: str | None = None
) -> dict[str, list[str | None]]:
    """Columns of a CSV file by name, in lower case; None for empty cells.

    It may be separated by comma, semicolon, tab or bar, in UTF-8 or UTF-16, with or without byte-order mark.

    Parameters
    ----------
    key
        The column that there must be.
    header
        What to say to those whose file has no such first line.
    instead
        A column that may take its place.
    otherwise
        Encoding of a file that is neither; None refuses it.

    Raises
    ------
    InputError
        If the file is not such a table.
    """
    return _parsed(_text(path, otherwise=otherwise), f"'{path}'", key=key, header=header, instead=instead)


def _rows(columns: Mapping[str, _Column], source: str, reading: BoxReading | None) -> list[Row]:
    paths = columns[PATH if PATH in columns else FILE_NAME]
    missing: _Column = [None] * len(paths)
    labels, splits, groups = (columns.get(name, missing) for name in (LABEL, SPLIT, GROUP))
    boxes = boxes_of(columns, source, reading or BoxReading()) or [None] * len(paths)
    return [
        Row(file, class_name(label), split, box, group)
        for file, label, split, box, group in zip(paths, labels, splits, boxes, groups, strict=True)
        if file is not None
    ]


def _parsed(text: str, source: str, *, key: str, header: str, instead: str | None = None) -> dict[str, _Column]:
    if not text.strip():
        raise InputError(f"{source} is empty.", remedy=header)
    first_line = text.partition("\n")[0]
    keys = {key, instead or key}
    by_mark = {mark: _names(first_line, mark) for mark in _DELIMITERS}
    most = max(by_mark, key=lambda mark: len(by_mark[mark]))
    delimiter = next((mark for mark, names in by_mark.items() if keys & {*names}), most)
    try:
        header_cells, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise InputError(f"{source} cannot be read as a CSV file: {excerpt(error)}.", remedy=header) from error
    names = list(map(_key, header_cells))
    if not keys & {*names}:
        raise _no_column(source, names, key=key, header=header)
    # A row that is too short has empty cells at its end.
    return {name: [_cell(row[at]) if at < len(row) else None for row in rows] for at, name in enumerate(names)}


def _read_parquet(path: Place, wanted: Collection[str]) -> dict[str, list[object]]:
    """The columns that count."""
    require("pyarrow", extra="parquet", purpose=f"Reading '{path}'")
    from pyarrow import parquet

    try:
        with path.open("rb") as source:
            names = parquet.read_schema(source).names
            table = parquet.read_table(source, columns=[name for name in names if _key(name) in wanted])
        columns = {name: table[name].to_pylist() for name in table.column_names}
    except Exception as error:  # Arrow, its conversion to Python and the system each have their own
        raise InputError(
            f"'{path}' cannot be read as a Parquet file: {excerpt(error)}.", remedy="Write the file again."
        ) from error
    if not {PATH, FILE_NAME} & {*map(_key, names)}:
        raise _no_column(f"'{path}'", names, key=PATH, header=_HEADER)
    return {_key(name): values for name, values in columns.items()}


def _read_lines(path: Place, wanted: Collection[str]) -> dict[str, list[object]]:
    """The columns that count of a file with one JSON object a line; None for what a line lacks."""
    lines = [line for line in _text(path).split("\n") if line.strip()]
    rows = [parsed_json(line, source=f"Line {at} of '{path}'") for at, line in enumerate(lines, start=1)]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(f"'{path}' holds lines that are no objects.", remedy="Write one JSON object a line.")
    named = [{_key(name): value for name, value in row.items()} for row in rows]
    names = {name: None for row in named for name in row}
    if not {PATH, FILE_NAME} & names.keys():
        raise _no_column(f"'{path}'", list(names), key=PATH, header="Each line must name a file under 'file_name'.")
    return {name: [row.get(name) for row in named] for name in names if name in wanted}


def _text(path: Place, *, otherwise: str | None = None) -> str:
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return _decoded(data, "utf-16" if wide else "utf-8-sig", otherwise)
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read: {excerpt(error)}.", remedy="Check its name and permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{path}' is not text in UTF-8 (byte {error.start}).", remedy="Save the table as 'CSV UTF-8'."
        ) from error


def _decoded(data: bytes, encoding: str, otherwise: str | None) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if otherwise is None:
            raise
        return data.decode(otherwise)


def _names(header: str, delimiter: str) -> list[str]:
    try:
        return [_key(name) for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _key(name: str) -> str:
    return name.strip().lower()


def _cell(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


class _NoColumnError(InputError):
    """A table lacks the column that says what its rows are of."""


def _no_column(source: str, found: Sequence[str], *, key: str, header: str) -> InputError:
    near = get_close_matches(key, found, n=1, cutoff=0.5) or [name for name in found if name in _OTHER_NAMES]
    hint = f" Did you mean '{near[0]}'? Rename it." if near else ""
    return _NoColumnError(
        f"{source} has no column '{key}'; its columns are: {excerpt(', '.join(found) or 'none')}.",
        remedy=f"{header}{hint}",
    )
