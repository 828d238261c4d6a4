"""Vectors in parts read a chunk at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from inkling.embeddings.checks import matrix, number_of_views, unit_rows
from inkling.embeddings.parquet import METADATA_KEY, list_matrix, told_as_parquet, with_vectors
from inkling.embeddings.parts import VectorParts, content_of, require_fingerprint
from inkling.embeddings.precomputed import identity_in
from inkling.errors import InputError
from inkling.images.places import Place, Url
from inkling.labels import Kind, read_labels, require_class_name
from inkling.types import EncoderIdentity, SkippedImage
from inkling.wording import excerpt

CHUNK = 65_536
"""Vectors that are worked on at once."""
_ABOUT = ("path", "content_hash", "group")
_COLUMNS = ("path", "label", "content_hash", "group", "views", "embedding", "feature", "error")


@dataclass(eq=False)
class Told:
    """What a reading tells beside its vectors.

    Attributes
    ----------
    skipped
        Images that have no vector, and parts that can't be used.
    parts_lost
        How many of these are parts.
    kinds
        What labels are of.
    views
        How many views of its image a vector is the mean of, as parts say.
    unlabelled
        Vectors without a label, which nothing is learned from.
    """

    skipped: list[SkippedImage] = field(default_factory=list)
    parts_lost: int = 0
    kinds: set[Kind] = field(default_factory=set)
    views: set[int | None] = field(default_factory=set)
    unlabelled: int = 0

    def also(self, other: Told) -> None:
        """Take in what others tell."""
        self.skipped += other.skipped
        self.parts_lost += other.parts_lost
        self.kinds |= other.kinds
        self.views |= other.views
        self.unlabelled += other.unlabelled


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of labelled images.

    Attributes
    ----------
    X
        Embedding, at unit length, and after it the feature, (n, d + f).
    y
        Class of each, (n,).
    classes
        Names of the classes.
    groups
        A number for the source of each, (n,); 0 where it is its own.
    embedding_dims
        Length d of the embedding.
    """

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.uint64]
    embedding_dims: int
    _table: pa.Table
    _begin: tuple[str, int]

    def about(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Path, content hash and group of some of them, (m, 3); no hash where neither hash nor path is known."""
        some = self._table.take(rows)
        cells = {name: some[name].to_pylist() for name in _ABOUT if name in some.column_names}
        nothing = [None] * len(rows)
        paths, contents, groups = (cells.get(name, nothing) for name in _ABOUT)
        file, first = self._begin
        found = np.empty((len(rows), len(_ABOUT)), dtype=object)
        for at, (row, path, content, group) in enumerate(zip(rows.tolist(), paths, contents, groups, strict=True)):
            about = path or f"{file} row {first + row}", content or path or None, None if group is None else str(group)
            found[at] = about
        return found


def rows_of(parts: VectorParts) -> dict[str, int]:
    """How many rows each part has; 0 of one that can't be read."""
    return {file: parts.rows[file] if file in parts.rows else _count(parts, file) for file in parts.files}


def chunks_of(rows: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Parts, neighbours together up to a chunk: what is worked on as one, whoever does it."""
    chunks: list[list[str]] = []
    held = CHUNK
    for file, count in rows.items():
        if held + count > CHUNK:
            chunks.append([])
            held = 0
        chunks[-1].append(file)
        held += count
    return [tuple(chunk) for chunk in chunks]


def identity_of_parts(parts: VectorParts) -> EncoderIdentity:
    """The encoder of the first part that can be read.

    Raises
    ------
    InputError
        If none can.
    """
    reasons = []
    for file in parts.files:
        told = Told()
        for _, identity in _read(parts, file, parts.fingerprint, told, most=1_024):
            return identity
        reasons += [f" The first: '{one.path}': {one.reason}." for one in told.skipped]
    raise InputError(
        f"No vector in '{parts.name}' can be used.{''.join(reasons[:1])}", remedy="Embed the images again."
    )


def read_chunk(parts: VectorParts, files: Sequence[str], fingerprint: str, told: Told) -> Iterator[list[Vectors]]:
    """Labelled vectors of some parts, about `CHUNK` at a time."""
    held: list[Vectors] = []
    for file in files:
        for vectors, _ in _read(parts, file, fingerprint, told, most=CHUNK):
            if held and sum(len(one.X) for one in held) + len(vectors.X) > CHUNK:
                yield held
                held = []
            held.append(vectors)
    if held:
        yield held


def first_rows(parts: VectorParts, file: str, fingerprint: str, most: int) -> Vectors | None:
    """The first so many labelled vectors of a part; None where it can't be read."""
    return next((vectors for vectors, _ in _read(parts, file, fingerprint, Told(), most=most)), None)


def _count(parts: VectorParts, file: str) -> int:
    try:
        with parts.files[file].open("rb") as opened:
            return int(parquet.read_metadata(opened).num_rows)
    except Exception:  # it is named when it is read
        return 0


def _read(
    parts: VectorParts, file: str, fingerprint: str | None, told: Told, *, most: int
) -> Iterator[tuple[Vectors, EncoderIdentity]]:
    """Vectors of a part, so many at a time at most, and what is wrong with it."""
    first = 0
    try:
        with told_as_parquet("the part"), _opened(parts, file) as opened:
            names = [name for name in _COLUMNS if name in opened.schema_arrow.names]
            metadata = opened.schema_arrow.metadata or {}
            named = {"encoder": metadata[METADATA_KEY].decode()} if METADATA_KEY in metadata else {}
            for batch in opened.iter_batches(batch_size=most, columns=names):
                found = _vectors(pa.Table.from_batches([batch]), (file, first), told)
                first += batch.num_rows
                if found is not None:
                    d = found.embedding_dims
                    identity = identity_in(named, parts.name, d, found.X.shape[1] - d)
                    require_fingerprint(identity.fingerprint, fingerprint)
                    yield found, identity
    except InputError as error:
        before = f"; {first} of its rows were read before" if first else ""
        told.skipped.append(parts.skipped(file, f"{error.message}{before}"))
        told.parts_lost += 1


@contextmanager
def _opened(parts: VectorParts, file: str) -> Iterator[parquet.ParquetFile]:
    """A part that a manifest knows is read whole, to be compared with it; others as they are asked for."""
    if file in parts.digests or not _is_there(parts.files[file]):
        with parquet.ParquetFile(pa.BufferReader(content_of(parts, file))) as opened:
            yield opened
    else:
        with parts.files[file].open("rb") as stream, parquet.ParquetFile(stream) as opened:
            yield opened


def _is_there(place: Place) -> bool:
    return isinstance(place, Url) or place.exists()


def _vectors(table: pa.Table, begin: tuple[str, int], told: Told) -> Vectors | None:
    """Labelled vectors of some rows; None where there is none."""
    table, without = with_vectors(table)
    told.skipped += [SkippedImage(*one) for one in without]
    y, classes = _labels(table, told)
    told.unlabelled += int((y < 0).sum())
    if "embedding" not in table.column_names:
        raise InputError(f"it has no column 'embedding'; found: {excerpt(', '.join(table.column_names))}.")
    rows = np.flatnonzero(y >= 0)
    if not len(rows):
        return None
    table, y = (table, y) if len(rows) == table.num_rows else (table.take(rows), y[rows])
    blocks = [unit_rows(matrix(list_matrix(table["embedding"], "embedding"), "embeddings"))]
    if "feature" in table.column_names:
        blocks.append(matrix(list_matrix(table["feature"], "feature"), "features"))
    if "views" in table.column_names:
        told.views.add(number_of_views(compute.unique(table["views"]).to_pylist()))
    X = np.hstack(blocks) if blocks[1:] else blocks[0]
    return Vectors(X, y, classes, _groups(table), blocks[0].shape[1], table, begin)


def _labels(table: pa.Table, told: Told) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class of each row, -1 for one without, and the names of the classes."""
    if "label" not in table.column_names:
        return np.full(table.num_rows, -1), ()
    codes, values = _encoded(table["label"])
    labels = read_labels(values)
    names = [None if name is None else require_class_name(name) for name in labels.names]
    if any(name is not None for name in names):
        told.kinds.add(labels.kind)
    classes = tuple(dict.fromkeys(name for name in names if name is not None))
    column = {name: k for k, name in enumerate(classes)}
    of_code = np.array([*(-1 if name is None else column[name] for name in names), -1], dtype=np.int64)
    return of_code[codes], classes


def _groups(table: pa.Table) -> NDArray[np.uint64]:
    if "group" not in table.column_names:
        return np.zeros(table.num_rows, dtype=np.uint64)
    codes, values = _encoded(table["group"])
    hashes = [blake2b(str(value).encode(), digest_size=8).digest() for value in values]
    numbers = [max(int.from_bytes(one, "little"), 1) for one in hashes]
    return np.array([*numbers, 0], dtype=np.uint64)[codes]


def _encoded(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[Any]]:
    """Which of the values each cell has, -1 for none; and the values."""
    coded = column.combine_chunks()
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, coded.dictionary.to_pylist()
