"""Embeddings as a Parquet file that any data tool opens: written batch by batch, and atomically.

Columns: ``path`` text, ``label`` (text, whole number or truth value) or null, ``content_hash`` text, ``group`` text or
null (which source an image comes from), ``embedding`` list of float32, and ``feature`` list of float32 where the
encoder has a second output. In parts of a run there is a column ``error``: text where an image has no vector, and why,
else null. The encoder's identity stands as JSON under the key ``inkling.encoder`` of the file's
metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from inkling.embeddings.embed import Embedded
from inkling.embeddings.parts import SKIPPED
from inkling.errors import InputError
from inkling.labels import Kind, Label
from inkling.outputs import appearing_whole
from inkling.types import EncoderIdentity
from inkling.wording import excerpt

METADATA_KEY = b"inkling.encoder"
ERROR = "error"

_KEYS = {
    "path": "paths",
    "label": "labels",
    "content_hash": "content_hashes",
    "group": "groups",
    "views": "views",
    "embedding": "embeddings",
    "feature": "features",
}

_LABELS = {Kind.TEXT: pa.string(), Kind.NUMBER: pa.int64(), Kind.TRUTH: pa.bool_()}

ROWS_OF_A_GROUP = 1024
"""Batches are gathered to row groups of at least this many rows: readers are slow with thousands of tiny
ones."""


def write_parquet(
    path: str | Path, parts: Iterable[Embedded], identity: EncoderIdentity, label_kind: Kind = Kind.TEXT
) -> int:
    """Write embedded images as they come.

    The file appears under its name when it is complete; if the work is interrupted, an older file of that
    name stays as it was.

    Parameters
    ----------
    path
        File to write or replace.
    parts
        Batches, as `iter_embedded` yields them.
    identity
        Encoder that made them.
    label_kind
        What the labels are of.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with appearing_whole(path) as draft:
        return _write(draft, parts, identity, label_kind)


def read_arrays(path: Path) -> dict[str, Any]:
    """Columns of a Parquet file of embeddings under the keys of `inkling.embeddings.precomputed`, unchecked.

    Raises
    ------
    InputError
        If it is not Parquet, or a column has another type.
    """
    with told_as_parquet(f"'{path}'"):
        return arrays_of(parquet.read_table(path))


@contextmanager
def told_as_parquet(shown: str) -> Iterator[None]:
    """What goes wrong in reading a file, in words.

    Raises
    ------
    InputError
        In place of other errors.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # Arrow, its conversion to Python and the system each have their own
        raise InputError(
            f"{shown} cannot be read as a Parquet file: {excerpt(error)}.", remedy="Write the file again."
        ) from error


def with_vectors(table: pa.Table) -> tuple[pa.Table, list[tuple[str, str]]]:
    """The rows that have a vector, and paths and reasons of those that have none."""
    if ERROR not in table.column_names or "embedding" not in table.column_names:
        return table, []
    failed = compute.is_valid(table[ERROR])
    if not compute.any(failed).as_py():
        return table, []
    lost = table.filter(failed)
    paths = lost["path"].to_pylist() if "path" in lost.column_names else ["image"] * lost.num_rows
    reasons = [excerpt(str(reason)) for reason in lost[ERROR].to_pylist()]
    shown = ["image" if path is None else str(path) for path in paths]
    return table.filter(compute.invert(failed)), list(zip(shown, reasons, strict=True))


def arrays_of(table: pa.Table) -> dict[str, Any]:
    """Columns of a table under the keys of `inkling.embeddings.precomputed`, and under `SKIPPED` who has no vector."""
    table, skipped = with_vectors(table)
    arrays: dict[str, Any] = {
        key: _column(table[name], name) for name, key in _KEYS.items() if name in table.column_names
    }
    metadata = table.schema.metadata or {}
    if METADATA_KEY in metadata:
        arrays["encoder"] = metadata[METADATA_KEY].decode()
    return arrays | ({SKIPPED: skipped} if skipped else {})


def _write(path: Path, parts: Iterable[Embedded], identity: EncoderIdentity, kind: Kind) -> int:
    schema = embedded_schema(identity, kind)
    n_rows = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for group in _groups(parts):
            batches = [_batch(part, schema, kind) for part in group]
            writer.write_table(pa.Table.from_batches(batches, schema))
            n_rows += sum(batch.num_rows for batch in batches)
    return n_rows


def embedded_schema(identity: EncoderIdentity, kind: Kind) -> pa.Schema:
    """Columns of embedded images, with the encoder in the metadata."""
    vector = pa.list_(pa.float32())
    text = pa.string()
    fields = [("path", text), ("label", _LABELS[kind]), ("content_hash", text), ("group", text), ("embedding", vector)]
    if identity.feature_dimension:
        fields.append(("feature", vector))
    return pa.schema(fields, metadata={METADATA_KEY: json.dumps(asdict(identity)).encode()})


def _groups(parts: Iterable[Embedded]) -> Iterator[list[Embedded]]:
    group: list[Embedded] = []
    for part in parts:
        group.append(part)
        if sum(len(one.records) for one in group) >= ROWS_OF_A_GROUP:
            yield group
            group = []
    if group:
        yield group


def _batch(part: Embedded, schema: pa.Schema, kind: Kind) -> pa.RecordBatch:
    labels = [None if record.label is None else kind.label(record.label) for record in part.records]
    columns = [
        pa.array([record.path for record in part.records], pa.string()),
        _label_column(labels, kind),
        pa.array(part.content_hashes, pa.string()),
        pa.array([record.group for record in part.records], pa.string()),
        _lists(part.embeddings),
    ]
    if part.features is not None:
        columns.append(_lists(part.features))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def embedded_rows(part: Embedded, kind: Kind) -> list[dict[str, Any]]:
    """Embedded images as rows of `embedded_schema`."""
    features = [None] * len(part.records) if part.features is None else part.features
    return [
        {
            "path": record.path,
            "label": None if record.label is None else kind.label(record.label),
            "content_hash": content_hash,
            "group": record.group,
            "embedding": embedding,
            **({} if feature is None else {"feature": feature}),
        }
        for record, content_hash, embedding, feature in zip(
            part.records, part.content_hashes, part.embeddings, features, strict=True
        )
    ]


def _label_column(labels: Sequence[Label | None], kind: Kind) -> pa.Array:
    try:
        return pa.array(labels, _LABELS[kind])
    except OverflowError as error:
        raise InputError("A label has more than 64 bits.", remedy="Write such labels as text.") from error


def _lists(matrix: NDArray[np.float32]) -> pa.ListArray:
    n_rows, width = matrix.shape
    starts = np.arange(n_rows + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(starts, pa.array(matrix.ravel(), pa.float32()))


def _column(column: pa.ChunkedArray, name: str) -> NDArray[Any]:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return list_matrix(column, name)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


def list_matrix(column: pa.ChunkedArray, name: str) -> NDArray[Any]:
    """Lists of one length as a matrix; by chunks, since all values may be more than Arrow's offsets count."""
    lengths = compute.unique(compute.list_value_length(column)).to_pylist()
    chunks = [chunk.flatten() for chunk in column.chunks]
    if len(lengths) > 1 or None in lengths or any(chunk.null_count for chunk in chunks):
        raise InputError(
            f"Column '{name}' must hold lists of one length without gaps; found lengths {lengths[:5]}.",
            remedy="Write every row with all the numbers of its vector.",
        )
    values = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate(values).reshape(len(column), lengths[0]) if lengths else np.empty((0, 0))
