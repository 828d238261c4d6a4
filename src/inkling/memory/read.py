"""Rows to content, inside a transaction that the caller holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Table, distinct, func, select

from inkling.memory import schema
from inkling.memory.columns import blob_arrays
from inkling.memory.content import ClassEntry, Exemplar, MemoryContent, Provenance, StoredMemory, Vectors
from inkling.types import EncoderIdentity, HeadState

CHUNK_ROWS = 4096


def read_content(connection: Connection) -> StoredMemory:
    """All that the memory holds in the space that is in use.

    Raises
    ------
    ValueError
        If rows are missing or contradict each other.
    """
    memory = _row(connection, schema.memory)
    space = _row(connection, schema.space, schema.space.c.id == memory["space_id"])
    head = _row(connection, schema.head, schema.head.c.space_id == memory["space_id"])
    encoder = EncoderIdentity(**{name: value for name, value in space.items() if name != "id"})
    classes = _read_classes(connection, space["id"], encoder.dimension)
    exemplars = _read_exemplars(connection, space["id"])
    width = encoder.dimension + encoder.feature_dimension
    return StoredMemory(
        content=MemoryContent(
            encoder=encoder,
            classes=classes,
            exemplars=exemplars,
            vectors=_read_vectors(connection, space["id"], (len(exemplars), width)),
            head=HeadState(head["name"], json.loads(head["params"]), blob_arrays(head["arrays"])),
            calibration=json.loads(head["calibration"]),
            training=json.loads(head["training"]),
            provenance=_read_provenance(connection, memory["version"]),
        ),
        version=memory["version"],
    )


def version_of(connection: Connection) -> int:
    """The version of the memory."""
    return int(_row(connection, schema.memory)["version"])


def _row(connection: Connection, table: Table, condition: Any = True) -> Mapping[str, Any]:
    row = connection.execute(select(table).where(condition)).mappings().one_or_none()
    if row is None:
        raise ValueError(f"table {table.name!r} lacks a row")
    return dict(row)


def _read_classes(connection: Connection, space_id: int, dimension: int) -> tuple[ClassEntry, ...]:
    classes = connection.execute(select(schema.klass).order_by(schema.klass.c.position)).mappings()
    prompts = _texts_by_class(connection, schema.prompt.c.text)
    aliases = _texts_by_class(connection, schema.alias.c.name)
    table = schema.text_vector
    rows = connection.execute(select(table.c.class_id, table.c.data).where(table.c.space_id == space_id))
    vectors = {class_id: _float32_rows([data], dimension)[0] for class_id, data in rows}
    return tuple(
        ClassEntry(
            name=row["name"],
            prompts=tuple(prompts[row["id"]]),
            aliases=tuple(aliases[row["id"]]),
            text_vector=vectors.get(row["id"]),
        )
        for row in classes
    )


def _texts_by_class(connection: Connection, column: Column[str]) -> defaultdict[int, list[str]]:
    table = column.table
    texts: defaultdict[int, list[str]] = defaultdict(list)
    rows = connection.execute(select(table.c.class_id, column).order_by(table.c.class_id, table.c.position))
    for class_id, text in rows:
        texts[class_id].append(text)
    return texts


def _read_exemplars(connection: Connection, space_id: int) -> tuple[Exemplar, ...]:
    """Exemplars that have a vector in this space.

    Raises
    ------
    ValueError
        If one has none in any space.
    """
    names = dict(connection.execute(select(schema.klass.c.id, schema.klass.c.name)).all())
    table, vector = schema.exemplar, schema.vector
    everywhere = connection.execute(select(func.count()).select_from(table)).scalar_one()
    embedded = connection.execute(select(func.count(distinct(vector.c.exemplar_id)))).scalar_one()
    if embedded != everywhere:
        raise ValueError(f"it has {everywhere} exemplars and vectors of {embedded}")
    rows = connection.execute(
        select(table.c.path, table.c.content_hash, table.c.class_id, table.c.view, schema.thumbnail.c.jpeg)
        .join(vector, (vector.c.exemplar_id == table.c.id) & (vector.c.space_id == space_id))
        .outerjoin(schema.thumbnail, schema.thumbnail.c.exemplar_id == table.c.id)
        .order_by(table.c.id)
    ).all()
    return tuple(
        Exemplar(path, content_hash, names[class_id], view, jpeg) for path, content_hash, class_id, view, jpeg in rows
    )


def _read_vectors(connection: Connection, space_id: int, shape: tuple[int, int]) -> Vectors:
    """Rows of the exemplars in their order, copied a chunk at a time into one array."""
    table = schema.vector
    rows = connection.execute(
        select(table.c.data).where(table.c.space_id == space_id).order_by(table.c.exemplar_id)
    ).scalars()
    vectors = np.empty(shape, dtype=np.float32)
    filled = 0
    for chunk in rows.partitions(CHUNK_ROWS):
        block = _float32_rows(chunk, shape[1])
        vectors[filled : filled + len(block)] = block
        filled += len(block)
    if filled != len(vectors):
        raise ValueError(f"it has {len(vectors)} exemplars and vectors of {filled}")
    return vectors


def _float32_rows(blobs: Sequence[bytes], width: int) -> Vectors:
    if any(len(blob) != 4 * width for blob in blobs):
        raise ValueError(f"a vector is not of the {width} numbers that its encoder gives")
    return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), width)


def _read_provenance(connection: Connection, version: int) -> Provenance:
    row = _row(connection, schema.provenance, schema.provenance.c.version == version)
    facts = {name: value for name, value in row.items() if name != "version"}
    return Provenance(**facts | {"versions": json.loads(row["versions"])})
