"""Content to rows, inside a transaction that the caller holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from inkling.memory import schema
from inkling.memory.columns import array_blob, json_text, vector_rows
from inkling.memory.content import ClassEntry, MemoryContent, Provenance
from inkling.types import EncoderIdentity

CHUNK_ROWS = 4096
EXEMPLAR_KEY = ("class_id", "content_hash", "view", "path")
REPLACED = (
    schema.vector,
    schema.thumbnail,
    schema.exemplar,
    schema.head,
    schema.text_vector,
    schema.prompt,
    schema.alias,
)


def replace_content(connection: Connection, content: MemoryContent) -> int:
    """Put `content` in place of all that the memory holds; classes that stay keep their numbers.

    Returns
    -------
    int
        The version of the memory, one more than before; 1 for a new one.
    """
    for table in REPLACED:
        connection.execute(delete(table))
    space_id = _write_space(connection, content.encoder)
    class_ids = _write_classes(connection, content.classes)
    _write_texts(connection, content.classes, class_ids, space_id)
    _write_exemplars(connection, content, class_ids, space_id)
    _write_head(connection, content, space_id)
    version = _count_on(connection, space_id)
    connection.execute(delete(schema.space).where(schema.space.c.id != space_id))
    _write_provenance(connection, content.provenance, version)
    return version


def add_space(connection: Connection, content: MemoryContent) -> int:
    """Write `content` in a space of its own beside those that the memory has, and put that space into use.

    Classes and exemplars that stay keep their numbers. What the memory knows in its other spaces is not touched.

    Returns
    -------
    int
        The version of the memory, one more than before.
    """
    for table in (schema.prompt, schema.alias):
        connection.execute(delete(table))
    connection.execute(delete(schema.space).where(schema.space.c.fingerprint == content.encoder.fingerprint))
    space_id = _write_space(connection, content.encoder)
    class_ids = _write_classes(connection, content.classes)
    _write_texts(connection, content.classes, class_ids, space_id)
    _write_exemplars(connection, content, class_ids, space_id)
    _write_head(connection, content, space_id)
    version = _count_on(connection, space_id)
    _write_provenance(connection, content.provenance, version)
    return version


def _write_space(connection: Connection, identity: EncoderIdentity) -> int:
    table = schema.space
    values = vars(identity)
    found = connection.execute(select(table.c.id).where(table.c.fingerprint == identity.fingerprint)).scalar()
    if found is not None:
        connection.execute(update(table).where(table.c.id == found).values(values))
        return int(found)
    return _new_id(connection, table, values)


def _write_classes(connection: Connection, classes: Sequence[ClassEntry]) -> dict[str, int]:
    """Numbers of the classes by name."""
    table = schema.klass
    ids: dict[str, int] = dict(connection.execute(select(table.c.name, table.c.id)).all())
    wanted = {entry.name for entry in classes}
    for name in ids.keys() - wanted:
        connection.execute(delete(table).where(table.c.id == ids.pop(name)))
    for position, entry in enumerate(classes):
        if entry.name in ids:
            connection.execute(update(table).where(table.c.id == ids[entry.name]).values(position=position))
        else:
            ids[entry.name] = _new_id(connection, table, {"name": entry.name, "position": position})
    return ids


def _new_id(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    key = connection.execute(insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _write_texts(
    connection: Connection, classes: Sequence[ClassEntry], class_ids: Mapping[str, int], space_id: int
) -> None:
    _insert(
        connection,
        schema.prompt,
        (
            {"class_id": class_ids[entry.name], "position": position, "text": text}
            for entry in classes
            for position, text in enumerate(entry.prompts)
        ),
    )
    _insert(
        connection,
        schema.alias,
        (
            {"class_id": class_ids[entry.name], "position": position, "name": name}
            for entry in classes
            for position, name in enumerate(entry.aliases)
        ),
    )
    _insert(
        connection,
        schema.text_vector,
        (
            {
                "class_id": class_ids[entry.name],
                "space_id": space_id,
                "data": vector_rows(entry.text_vector[None])[0],
            }
            for entry in classes
            if entry.text_vector is not None
        ),
    )


def _write_exemplars(
    connection: Connection, content: MemoryContent, class_ids: Mapping[str, int], space_id: int
) -> None:
    """Exemplars that the memory has not yet, their thumbnails, and the vectors of all in this space."""
    keys = _counted((class_ids[one.class_name], one.content_hash, one.view, one.path) for one in content.exemplars)
    known = _exemplar_ids(connection)
    new = [row for row, key in enumerate(keys) if key not in known]
    _insert(connection, schema.exemplar, (dict(zip(EXEMPLAR_KEY, keys[row][0], strict=True)) for row in new))
    ids = _exemplar_ids(connection)
    _insert(
        connection,
        schema.thumbnail,
        (
            {"exemplar_id": ids[keys[row]], "jpeg": content.exemplars[row].thumbnail}
            for row in new
            if content.exemplars[row].thumbnail is not None
        ),
    )
    _insert(
        connection,
        schema.vector,
        (
            {"exemplar_id": ids[key], "space_id": space_id, "data": data}
            for key, data in zip(keys, vector_rows(content.vectors), strict=True)
        ),
    )


def _exemplar_ids(connection: Connection) -> dict[tuple[tuple[Any, ...], int], int]:
    """Numbers of the exemplars by what they are and, among equal ones, their count."""
    table = schema.exemplar
    columns = [table.c[name] for name in EXEMPLAR_KEY]
    rows = connection.execute(select(table.c.id, *columns).order_by(table.c.id)).all()
    return dict(zip(_counted(tuple(key) for _, *key in rows), (number for number, *_ in rows), strict=True))


def _counted(keys: Iterable[tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], int]]:
    """Each key with how often it came before."""
    seen: Counter[tuple[Any, ...]] = Counter()
    counted = []
    for key in keys:
        counted.append((key, seen[key]))
        seen[key] += 1
    return counted


def _write_head(connection: Connection, content: MemoryContent, space_id: int) -> None:
    connection.execute(
        insert(schema.head).values(
            space_id=space_id,
            name=content.head.name,
            params=json_text(content.head.params, what="head's parameters"),
            arrays=array_blob(content.head.arrays),
            calibration=json_text(content.calibration, what="calibration"),
            training=json_text(content.training, what="training findings"),
        )
    )


def _count_on(connection: Connection, space_id: int) -> int:
    table = schema.memory
    version = connection.execute(select(table.c.version)).scalar()
    if version is None:
        connection.execute(insert(table).values(id=1, version=1, space_id=space_id))
        return 1
    connection.execute(update(table).values(version=version + 1, space_id=space_id))
    return int(version) + 1


def _write_provenance(connection: Connection, provenance: Provenance, version: int) -> None:
    values = vars(provenance) | {
        "version": version,
        "versions": json_text(provenance.versions, what="package versions"),
    }
    connection.execute(insert(schema.provenance).values(values))


def _insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert in chunks, so that neither the rows nor their bytes are all held twice."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        connection.execute(insert(table), chunk)
