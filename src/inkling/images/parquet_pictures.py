"""Parquet files that hold pictures: a column of bytes, or of bytes and paths as data sets of Hugging Face have it.

What is listed reads the columns of labels and names alone; pictures are read later, a few rows at a time.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from inkling.errors import InputError, UnreadableImageError, require
from inkling.images.layout import is_utf8
from inkling.images.places import Place, StoreError, Url, unreachable
from inkling.images.shard import Shard, ShardPicture
from inkling.images.tables import FILE_NAME, GROUP, LABEL, PATH, SPLIT
from inkling.labels import Kind, Label
from inkling.wording import excerpt, quoted

_NAMES = ("image", "img", "picture", "bytes", "image_bytes", "content")
"""Columns that hold pictures even where others name files; of other columns of bytes there must be but one."""
_BYTES = "bytes"
_BATCH_BYTES = 16 << 20
_HELD_BYTES = 128 << 20
_MOST_OPEN = 8


@dataclass(frozen=True)
class PictureColumns:
    """Which columns of a Parquet file hold what.

    Attributes
    ----------
    picture
        The column of pictures, or the field of it that has their bytes.
    name
        That of their names, if there is one.
    label, split, group
        Columns of these, if there are any.
    classes
        Names of the classes that labels count into; None where labels are themselves.
    """

    picture: str
    name: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None
    classes: tuple[str, ...] | None = None


def picture_columns(place: Place) -> PictureColumns | None:
    """The columns of a Parquet file that holds pictures; None where it holds none.

    Raises
    ------
    InputError
        If it cannot be read, or several columns might be the one of the pictures.
    """
    with _Opened(place) as file:
        return _columns(file.schema_arrow, place)


def list_parquet(place: Place, columns: PictureColumns) -> Shard:
    """One picture a row, by its number and its name, with its label.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _Opened(place) as file:
        wanted = [one for one in (columns.name, columns.label, columns.split, columns.group) if one is not None]
        cells = _cells(file, wanted, place)
        n = file.metadata.num_rows
    nothing: Sequence[Any] = [None] * n
    names, labels, splits, groups = (
        nothing if one is None else cells[one] for one in (columns.name, columns.label, columns.split, columns.group)
    )
    pictures = (
        ShardPicture(
            member,
            PurePosixPath(PurePosixPath(member).name),
            _class(label, columns.classes),
            None,
            _text(split),
            _text(group),
        )
        for member, label, split, group in zip(map(_member, range(n), names), labels, splits, groups, strict=True)
    )
    return Shard(tuple(pictures), {}, None if columns.classes is None else Kind.TEXT)


class ParquetPictures:
    """Reads rows of Parquet files, and keeps the last ones, as their neighbours are mostly wanted next. Thread-safe.

    Whole row groups may be of any size: they are read in batches of some 16 MB, one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[str, _RowGroups] = OrderedDict()
        self._batches: OrderedDict[tuple[str, int, int], Any] = OrderedDict()

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()
            self._batches.clear()

    def read(self, place: Place, member: str) -> bytes:
        """The picture of a row.

        Raises
        ------
        UnreadableImageError
            If there is no such row, or nothing in it.
        """
        number = member.partition("/")[0]
        if not (number.isascii() and number.isdigit()):
            raise UnreadableImageError("a row of Parquet is named by its number")
        with self._lock:
            value = self._value(place, int(number))
        if isinstance(value, Mapping):
            value = value.get(_BYTES)
        if value is None:
            raise UnreadableImageError("the row holds no picture")
        return bytes(value)

    def _value(self, place: Place, row: int) -> Any:
        key = str(place)
        file = self._files.get(key)
        if file is None:
            file = self._files[key] = _RowGroups(place)
            if len(self._files) > _MOST_OPEN:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(key)
        group, at = file.place_of(row)
        batch_number, at_in_batch = divmod(at, file.batch_rows(group))
        wanted = (key, group, batch_number)
        if wanted not in self._batches:
            for number, batch in file.up_to(group, batch_number):
                self._batches[(key, group, number)] = batch
                self._forget()
        self._batches.move_to_end(wanted)
        return self._batches[wanted].column(0)[at_in_batch].as_py()

    def _forget(self) -> None:
        while len(self._batches) > 1 and sum(one.nbytes for one in self._batches.values()) > _HELD_BYTES:
            self._batches.popitem(last=False)


class _RowGroups:
    """One open file: batches of its row groups in their order, from the one that was read last."""

    def __init__(self, place: Place) -> None:
        self._opened = _Opened(place)
        self._file = self._opened.__enter__()
        columns = _columns(self._file.schema_arrow, place)
        if columns is None:
            self.close()
            raise UnreadableImageError("the Parquet file has no column of pictures")
        self._column = columns.picture
        metadata = self._file.metadata
        self._rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._group, self._next = -1, 0
        self._batches: Iterator[Any] = iter(())

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def place_of(self, row: int) -> tuple[int, int]:
        """The row group of a row, and its place there."""
        for group, n in enumerate(self._rows):
            if row < n:
                return group, row
            row -= n
        raise UnreadableImageError(f"the Parquet file has {sum(self._rows)} rows and no such one")

    def batch_rows(self, group: int) -> int:
        """How many rows of a row group are read at once."""
        about = self._file.metadata.row_group(group)
        chunks = (about.column(number) for number in range(about.num_columns))
        root = self._column.partition(".")[0]
        size = sum(one.total_uncompressed_size for one in chunks if one.path_in_schema.partition(".")[0] == root)
        n = int(about.num_rows)
        return max(1, min(n, n * _BATCH_BYTES // max(1, int(size))))

    def up_to(self, group: int, number: int) -> Iterator[tuple[int, Any]]:
        """Batches of a row group until the one of that number, from the next or from the first."""
        if group != self._group or number < self._next:
            rows = self.batch_rows(group)
            batches = self._file.iter_batches(rows, row_groups=[group], columns=[self._column], use_threads=False)
            self._group, self._next, self._batches = group, 0, iter(batches)
        while self._next <= number:
            batch = next(self._batches)
            self._next += 1
            yield self._next - 1, batch


class _Opened:
    """A Parquet file, open."""

    def __init__(self, place: Place) -> None:
        require("pyarrow", extra="parquet", purpose=f"Reading '{place}'")
        self._place = place
        self._stack = ExitStack()

    def __enter__(self) -> Any:
        from pyarrow import parquet

        try:
            source = self._stack.enter_context(self._place.open()) if isinstance(self._place, Url) else self._place
            # Without pre-buffering, a row group of any size is read page by page.
            file = parquet.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20)
        except Exception as error:  # Arrow, stores and the system each have their own
            self._stack.close()
            if isinstance(error, StoreError | FileNotFoundError | PermissionError):
                raise unreachable(self._place, error) from error
            raise _damaged(self._place, error) from error
        return self._stack.enter_context(file)

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _columns(schema: Any, place: Place) -> PictureColumns | None:
    features = _features(schema.metadata)
    # Names that stand twice, or that read like a field of a column, name no one column.
    kinds = {one.name: one.type for one in schema if schema.names.count(one.name) == 1 and "." not in one.name}
    by_key = {name.strip().lower(): name for name in kinds}
    some = [name for name, kind in kinds.items() if _holds_bytes(kind)]
    first = next((by_key[one] for one in _NAMES if by_key.get(one) in some), None)
    of_images = [name for name in some if features.get(name, {}).get("_type") == "Image"]
    if first is None and len(of_images) == 1:
        first = of_images[0]
    if first is None:
        if not some or {PATH, FILE_NAME} & {name.strip().lower() for name in schema.names}:
            return None
        if len(some) > 1:
            raise InputError(
                f"'{place}' has several columns of bytes: {excerpt(', '.join(some))}.",
                remedy="Name the one of the pictures 'image'.",
            )
        first = some[0]
    numbered = [name for name, one in features.items() if one.get("_type") == "ClassLabel" and name in kinds]
    label = by_key.get(LABEL) or (numbered[0] if len(numbered) == 1 else None)
    names = features.get(label, {}).get("names") if label in numbered else None
    is_struct = not _is_binary(kinds[first])
    inner = {one.name for one in kinds[first]} if is_struct else set()
    return PictureColumns(
        f"{first}.{_BYTES}" if is_struct else first,
        f"{first}.{PATH}" if PATH in inner else by_key.get(PATH) or by_key.get(FILE_NAME),
        label,
        by_key.get(SPLIT),
        by_key.get(GROUP),
        tuple(map(str, names)) if isinstance(names, list) else None,
    )


def _features(metadata: Mapping[bytes, bytes] | None) -> dict[str, dict[str, Any]]:
    """What the library `datasets` says about columns, by their names."""
    try:
        found = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: one for name, one in found.items() if isinstance(one, dict)}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):  # others may write there what they like
        return {}


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    return _is_binary(kind) or (
        types.is_struct(kind) and any(one.name == _BYTES and _is_binary(one.type) for one in kind)
    )


def _is_binary(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _cells(file: Any, wanted: Sequence[str], place: Place) -> dict[str, list[Any]]:
    if not wanted:
        return {}
    try:
        table = file.read(columns=list(wanted), use_threads=False)
        read = {name: table[name.partition(".")[0]].to_pylist() for name in wanted}
    except Exception as error:
        raise _damaged(place, error) from error
    return {
        name: [one.get(name.partition(".")[2]) if isinstance(one, Mapping) else one for one in cells]
        for name, cells in read.items()
    }


def _damaged(place: Place, error: Exception) -> InputError:
    return InputError(f"'{place}' cannot be read as a Parquet file: {excerpt(error)}.", remedy="Write the file again.")


def _member(row: int, name: Any) -> str:
    """The row, and its picture's name, which says where it came from."""
    file = PurePosixPath(name.replace("\\", "/")).name if isinstance(name, str) else ""
    return f"{row}/{file}" if file and is_utf8(file) and "\0" not in file else str(row)


def _class(label: Any, classes: Sequence[str] | None) -> Label | None:
    if classes is None or not isinstance(label, int):
        return label if not isinstance(label, list | dict) else quoted(label)
    return classes[label] if 0 <= label < len(classes) else None  # -1 stands for none


def _text(value: Any) -> str | None:
    return None if value is None or not str(value).strip() else str(value).strip()
