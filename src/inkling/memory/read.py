"""Rows to content, inside a transaction that the caller holds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, Select, Table, distinct, func, null, select, true

from inkling.memory import schema
from inkling.memory.columns import OF_EXEMPLARS, blob_arrays, vectors_digest
from inkling.memory.content import DetectorState, MemoryContent, Provenance, StoredMemory
from inkling.types import ClassEntry, EncoderIdentity, Exemplar, HeadState, Vectors

CHUNK_ROWS = 4096


def read_content(
    connection: Connection, *, exemplars: bool = True, thumbnails: bool = True, per_class: int | None = None
) -> StoredMemory:
    """What the memory knows in the space that is in use.

    Parameters
    ----------
    exemplars
        Read them and their vectors; without, there are none in what comes back.
    thumbnails
        Read those too.
    per_class
        Exemplars of each class to read, the first ones; None reads all.

    Raises
    ------
    ValueError
        If rows are missing or contradict each other.
    """
    space_id, encoder = read_encoder(connection)
    head = _row(connection, schema.head, schema.head.c.space_id == space_id)
    arrays = blob_arrays(head.pop("arrays"))  # as large as the arrays, so it must not stay while the rest is read
    found = read_exemplars(connection, space_id, thumbnails=thumbnails, per_class=per_class) if exemplars else ()
    width = encoder.dimension + encoder.feature_dimension
    version = version_of(connection)
    return StoredMemory(
        content=MemoryContent(
            encoder=encoder,
            classes=read_classes(connection, space_id, encoder.dimension),
            exemplars=found,
            vectors=read_vectors(connection, space_id, (len(found), width), per_class=per_class)
            if exemplars
            else _no_rows(width),
            head=HeadState(head["name"], json.loads(head["params"]), arrays),
            calibration=json.loads(head["calibration"]),
            training=json.loads(head["training"]),
            provenance=read_provenance(connection, version),
            detector=read_detector(connection, space_id, encoder),
        ),
        version=version,
        class_ids=tuple(connection.execute(select(schema.klass.c.id).order_by(schema.klass.c.position)).scalars()),
    )


def read_encoder(connection: Connection) -> tuple[int, EncoderIdentity]:
    """Number of the space that is in use, and its encoder."""
    space = _row(connection, schema.space, schema.space.c.id == _row(connection, schema.memory)["space_id"])
    return space["id"], EncoderIdentity(**{name: value for name, value in space.items() if name != "id"})


def read_detector(connection: Connection, space_id: int, encoder: EncoderIdentity) -> DetectorState | None:
    """The detector of unknown images in a space, if there is one.

    Arrays of it that were the exemplars' vectors are read from there. Where exemplars have changed since, as they have
    while a decision is being made, they are left out: only scoring asks for them.
    """
    table = schema.detector
    row = connection.execute(select(table).where(table.c.space_id == space_id)).mappings().one_or_none()
    if row is None:
        return None
    params, arrays = json.loads(row["params"]), blob_arrays(row["arrays"])
    if digests := params.pop(OF_EXEMPLARS, {}):
        vectors = _all_vectors(connection, space_id, encoder)
        digest = vectors_digest(vectors)
        arrays |= {name: vectors for name, then in digests.items() if then == digest}
    return DetectorState(row["name"], params, arrays, json.loads(row["report"]))


def version_of(connection: Connection) -> int:
    """The version of the memory."""
    return int(_row(connection, schema.memory)["version"])


def _row(connection: Connection, table: Table, condition: Any = True) -> dict[str, Any]:
    row = connection.execute(select(table).where(condition)).mappings().one_or_none()
    if row is None:
        raise ValueError(f"table {table.name!r} lacks a row")
    return dict(row)


def read_classes(connection: Connection, space_id: int, dimension: int) -> tuple[ClassEntry, ...]:
    """The known classes, in the order of the head's columns."""
    classes = connection.execute(select(schema.klass).order_by(schema.klass.c.position)).mappings()
    prompts = _texts_by_class(connection, schema.prompt.c.text)
    aliases = _texts_by_class(connection, schema.alias.c.name)
    table = schema.text_vector
    rows = connection.execute(select(table.c.class_id, table.c.data).where(table.c.space_id == space_id))
    vectors = {class_id: float32_rows([data], dimension)[0] for class_id, data in rows}
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


def read_exemplars(
    connection: Connection, space_id: int, *, thumbnails: bool, per_class: int | None = None
) -> tuple[Exemplar, ...]:
    """Exemplars that have a vector in this space; parameters as for `read_content`.

    Raises
    ------
    ValueError
        If one has none in any space.
    """
    names = dict(connection.execute(select(schema.klass.c.id, schema.klass.c.name)).all())
    table, vector = schema.exemplar, schema.vector
    if per_class is None:
        _check_embedded(connection)
    picture = schema.thumbnail.c.jpeg if thumbnails else null()
    query = select(table.c.path, table.c.content_hash, table.c.class_id, table.c.view, picture)
    query = query.join(vector, (vector.c.exemplar_id == table.c.id) & (vector.c.space_id == space_id))
    if thumbnails:
        query = query.outerjoin(schema.thumbnail, schema.thumbnail.c.exemplar_id == table.c.id)
    if per_class is not None:
        query = query.where(table.c.id.in_(_first_of_each_class(connection, per_class)))
    rows = connection.execute(query.order_by(table.c.id)).all()
    return tuple(
        Exemplar(path, content_hash, names[class_id], view, jpeg) for path, content_hash, class_id, view, jpeg in rows
    )


def _check_embedded(connection: Connection) -> None:
    everywhere = connection.execute(select(func.count()).select_from(schema.exemplar)).scalar_one()
    embedded = connection.execute(select(func.count(distinct(schema.vector.c.exemplar_id)))).scalar_one()
    if embedded != everywhere:
        raise ValueError(f"it has {everywhere} exemplars and vectors of {embedded}")


def _first_of_each_class(connection: Connection, number: int) -> Select[tuple[int]]:
    """Numbers of so many exemplars of each class, looked up class by class: to rank all takes seconds for a million."""
    table, other, klass = schema.exemplar, schema.exemplar.alias(), schema.klass
    of_class = select(other.c.id).where(other.c.class_id == klass.c.id).order_by(other.c.id).limit(number)
    if connection.dialect.name == "sqlite":  # which knows no lateral join, while PostgreSQL would try all pairs here
        return select(table.c.id).join(klass, table.c.id.in_(of_class.correlate(klass)))
    first = of_class.lateral()
    return select(first.c.id).select_from(klass).join(first, true())


def read_vectors(
    connection: Connection, space_id: int, shape: tuple[int, int], *, per_class: int | None = None
) -> Vectors:
    """Rows of the exemplars in their order, copied a chunk at a time into one array."""
    table = schema.vector
    query = select(table.c.data).where(table.c.space_id == space_id).order_by(table.c.exemplar_id)
    if per_class is not None:
        query = query.where(table.c.exemplar_id.in_(_first_of_each_class(connection, per_class)))
    rows = connection.execute(query).scalars()
    vectors = np.empty(shape, dtype=np.float32)
    filled = 0
    for chunk in rows.partitions(CHUNK_ROWS):
        block = float32_rows(chunk, shape[1])
        vectors[filled : filled + len(block)] = block
        filled += len(block)
    if filled != len(vectors):
        raise ValueError(f"it has {len(vectors)} exemplars and vectors of {filled}")
    return vectors


def read_some_vectors(connection: Connection, most: int) -> tuple[EncoderIdentity, Vectors]:
    """Vectors (m, d + f) of all exemplars, or of so many, as many of each class, and the encoder that they are of."""
    space_id, encoder = read_encoder(connection)
    table = schema.vector
    query = select(table.c.data).where(table.c.space_id == space_id).order_by(table.c.exemplar_id)
    classes = select(func.count(distinct(schema.exemplar.c.class_id)))
    if connection.execute(select(func.count()).select_from(query.subquery())).scalar_one() > most:
        per_class = max(1, most // connection.execute(classes).scalar_one())
        query = query.where(table.c.exemplar_id.in_(_first_of_each_class(connection, per_class)))
    blobs = connection.execute(query).scalars().all()
    return encoder, float32_rows(blobs, encoder.dimension + encoder.feature_dimension)


def _all_vectors(connection: Connection, space_id: int, encoder: EncoderIdentity) -> Vectors:
    """Vectors of all exemplars in a space, (n, d + f)."""
    shape = (count_exemplars(connection, space_id), encoder.dimension + encoder.feature_dimension)
    return read_vectors(connection, space_id, shape)


def count_exemplars(connection: Connection, space_id: int) -> int:
    """How many exemplars have a vector in a space."""
    table = schema.vector
    query = select(func.count()).select_from(table).where(table.c.space_id == space_id)
    return int(connection.execute(query).scalar_one())


def _no_rows(width: int) -> Vectors:
    return np.zeros((0, width), dtype=np.float32)


def float32_rows(blobs: Sequence[bytes], width: int) -> Vectors:
    """Vectors of their bytes, (n, width).

    Raises
    ------
    ValueError
        If one has another length.
    """
    if any(len(blob) != 4 * width for blob in blobs):
        raise ValueError(f"a vector is not of the {width} numbers that its encoder gives")
    return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), width)


def read_provenance(connection: Connection, version: int) -> Provenance:
    """How the head of a version came to be: what was written last by then."""
    table = schema.provenance
    latest = select(table).where(table.c.version <= version).order_by(table.c.version.desc()).limit(1)
    row = connection.execute(latest).mappings().one_or_none()
    if row is None:
        raise ValueError("it does not say how it came to be")
    facts = {name: value for name, value in row.items() if name != "version"}
    return Provenance(**facts | {"versions": json.loads(row["versions"])})
