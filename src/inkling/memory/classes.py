"""Known classes in the memory, one at a time: added, taken out, renamed, each with its exemplars."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, select

from inkling.memory import schema
from inkling.memory.amend import Amendment
from inkling.memory.columns import vector_rows
from inkling.memory.opened import seeing
from inkling.memory.read import count_exemplars, float32_rows, read_classes, read_encoder
from inkling.types import ClassEntry, Exemplar, IntArray, Vectors


@dataclass(frozen=True)
class KnownClass:
    """A known class as it is listed.

    Attributes
    ----------
    images
        Number of different training images.
    prompts, aliases
        As in `ClassEntry`.
    has_text
        Whether it has a text vector in the space in use.

    Examples
    --------
    >>> one = Decisions("vehicles.ink").classes()[0]
    >>> one.name, one.images, one.has_text
    ('castle', 8, True)
    """

    name: str
    images: int
    prompts: tuple[str, ...]
    aliases: tuple[str, ...]
    has_text: bool


def known_classes(connection: Connection, space_id: int, dimension: int) -> tuple[KnownClass, ...]:
    """The known classes, in the order of the head's columns."""
    exemplar, klass = schema.exemplar, schema.klass
    count = func.count(exemplar.c.content_hash.distinct())
    query = select(klass.c.name, count).join(exemplar, exemplar.c.class_id == klass.c.id).group_by(klass.c.name)
    images: dict[str, int] = dict(connection.execute(query).all())
    return tuple(
        KnownClass(entry.name, images.get(entry.name, 0), entry.prompts, entry.aliases, entry.text_vector is not None)
        for entry in read_classes(connection, space_id, dimension)
    )


def list_classes(path: str | Path) -> tuple[KnownClass, ...]:
    """The known classes of a memory, by name.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        space_id, encoder = read_encoder(connection)
        return tuple(sorted(known_classes(connection, space_id, encoder.dimension), key=lambda one: one.name))


def class_ids(connection: Connection) -> dict[str, int]:
    """Numbers of the classes by name, in the order of the head's columns."""
    table = schema.klass
    return dict(connection.execute(select(table.c.name, table.c.id).order_by(table.c.position)).all())


def add_class(memory: Amendment, entry: ClassEntry) -> int:
    """Write a class, its column the last; returns its number."""
    last = memory.connection.execute(select(func.max(schema.klass.c.position))).scalar()
    position = 0 if last is None else last + 1
    (number,) = memory.rows.insert_numbered(schema.klass, [{"name": entry.name, "position": position}])
    texts = ((schema.prompt, "text", entry.prompts), (schema.alias, "name", entry.aliases))
    for table, column, values in texts:
        rows = ({"class_id": number, "position": k, column: value} for k, value in enumerate(values))
        memory.rows.insert(table, rows)
    if entry.text_vector is not None:
        data = vector_rows(entry.text_vector[None])[0]
        memory.rows.insert(schema.text_vector, [{"class_id": number, "space_id": memory.space_id, "data": bytes(data)}])
    return number


def add_exemplars(memory: Amendment, class_id: int, exemplars: Sequence[Exemplar], vectors: Vectors) -> None:
    """Write exemplars of a class, with their vectors (n, d + f) in the space in use."""
    facts = [
        {"class_id": class_id, "path": one.path, "content_hash": one.content_hash, "view": one.view}
        for one in exemplars
    ]
    ids = memory.rows.insert_numbered(schema.exemplar, facts)
    pictures = (
        {"exemplar_id": number, "jpeg": one.thumbnail}
        for number, one in zip(ids, exemplars, strict=True)
        if one.thumbnail is not None
    )
    memory.rows.insert(schema.thumbnail, pictures)
    rows = zip(ids, vector_rows(vectors), strict=True)
    memory.rows.insert(
        schema.vector, ({"exemplar_id": number, "space_id": memory.space_id, "data": data} for number, data in rows)
    )


def remove_class(memory: Amendment, class_id: int) -> None:
    """Take out a class with all that is its own, in every space."""
    memory.rows.delete(schema.exemplar, schema.exemplar.c.class_id == class_id)
    memory.rows.delete(schema.klass, schema.klass.c.id == class_id)


def rename_class(memory: Amendment, class_id: int, name: str) -> None:
    """Give a class another name; its number and column stay."""
    memory.rows.update(schema.klass, (class_id,), {"name": name})


def order_classes(memory: Amendment, names: Sequence[str]) -> None:
    """Put the classes into the order of a head's columns."""
    ids = class_ids(memory.connection)
    for position, name in enumerate(names):
        memory.rows.update(schema.klass, (ids[name],), {"position": position})


def images_of_class(connection: Connection, class_id: int) -> list[str]:
    """Content hashes of the training images of a class."""
    table = schema.exemplar
    query = select(table.c.content_hash).where(table.c.class_id == class_id).distinct()
    return list(connection.execute(query).scalars())


def class_vectors(memory: Amendment, class_id: int) -> Vectors:
    """Vectors of a class's exemplars in the space in use, (n, d + f)."""
    exemplar, vector = schema.exemplar, schema.vector
    query = (
        select(vector.c.data)
        .join(exemplar, exemplar.c.id == vector.c.exemplar_id)
        .where((exemplar.c.class_id == class_id) & (vector.c.space_id == memory.space_id))
        .order_by(exemplar.c.id)
    )
    encoder = memory.encoder
    blobs = memory.connection.execute(query).scalars().all()
    return float32_rows(blobs, encoder.dimension + encoder.feature_dimension)


def columns_of_exemplars(memory: Amendment) -> IntArray:
    """Column of the head for each exemplar in the space in use, in the order of their vectors, (n,)."""
    exemplar, vector = schema.exemplar, schema.vector
    column = {number: k for k, number in enumerate(class_ids(memory.connection).values())}
    query = (
        select(exemplar.c.class_id)
        .join(vector, (vector.c.exemplar_id == exemplar.c.id) & (vector.c.space_id == memory.space_id))
        .order_by(exemplar.c.id)
    )
    return np.array([column[number] for number in memory.connection.execute(query).scalars()], dtype=np.int64)


def images_and_labels(memory: Amendment) -> tuple[list[str], list[str]]:
    """Content hash and class name of each exemplar in the space in use."""
    exemplar, vector = schema.exemplar, schema.vector
    names = {number: name for name, number in class_ids(memory.connection).items()}
    query = select(exemplar.c.content_hash, exemplar.c.class_id)
    everywhere = memory.connection.execute(select(func.count()).select_from(exemplar)).scalar_one()
    if count_exemplars(memory.connection, memory.space_id) != everywhere:
        here = (vector.c.exemplar_id == exemplar.c.id) & (vector.c.space_id == memory.space_id)
        query = query.join(vector, here)  # takes as long again, so only where some have no vector here
    rows = memory.connection.execute(query).all()
    return [content_hash for content_hash, _ in rows], [names[class_id] for _, class_id in rows]


def training_views(connection: Connection, content_hashes: Collection[str]) -> dict[str, dict[str, set[int]]]:
    """Of those of training images: which, and by which of its views."""
    exemplar, klass = schema.exemplar, schema.klass
    query = select(exemplar.c.content_hash, klass.c.name, exemplar.c.view).join(
        klass, klass.c.id == exemplar.c.class_id
    )
    found: dict[str, dict[str, set[int]]] = {}
    for content_hash, name, view in connection.execute(query):
        if content_hash in content_hashes:
            found.setdefault(content_hash, {}).setdefault(name, set()).add(view)
    return found
