"""Content to rows, inside a transaction that the caller holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select, update

from inkling.memory import schema
from inkling.memory.columns import OF_EXEMPLARS, array_blob, json_text, vector_rows, vectors_digest
from inkling.memory.content import DetectorState, MemoryContent, Provenance
from inkling.memory.digest import digest_text, row_hash
from inkling.memory.rows import Row, Rows
from inkling.types import ClassEntry, EncoderIdentity, HeadState, Vectors

EXEMPLAR_KEY = ("class_id", "content_hash", "view", "path")
REPLACED = (
    schema.vector,
    schema.thumbnail,
    schema.exemplar,
    schema.head,
    schema.detector,
    schema.stream,
    schema.text_vector,
    schema.prompt,
    schema.alias,
)


def replace_content(connection: Connection, content: MemoryContent) -> int:
    """Put `content` in place of all that the memory knows; classes that stay keep their numbers.

    What is unknown stays, as far as the encoder is still the one that saw it.

    Returns
    -------
    int
        The version of the memory, one more than before; 1 for a new one.
    """
    rows = Rows(connection)
    for table in REPLACED:
        rows.delete(table)
    space_id = _write_space(rows, content.encoder)
    _write_all(rows, content, space_id)
    _use_space(rows, space_id)
    rows.delete(schema.space, schema.space.c.id != space_id)
    _forget_what_no_encoder_saw(rows)
    version = next_version(connection)
    write_provenance(connection, content.provenance, version)
    return version


def add_space(rows: Rows, content: MemoryContent) -> None:
    """Write `content` in a space of its own beside those that the memory has, and put that space into use.

    Classes and exemplars that stay keep their numbers. What the memory knows in its other spaces is not touched.
    """
    for table in (schema.prompt, schema.alias):
        rows.delete(table)
    rows.delete(schema.space, schema.space.c.fingerprint == content.encoder.fingerprint)
    space_id = _write_space(rows, content.encoder)
    _write_all(rows, content, space_id)
    _use_space(rows, space_id)


def _write_all(rows: Rows, content: MemoryContent, space_id: int) -> None:
    class_ids = _write_classes(rows, content.classes)
    _write_texts(rows, content.classes, class_ids, space_id)
    _write_exemplars(rows, content, class_ids, space_id)
    head = {"space_id": space_id, **head_row(content.head, content.calibration, content.training)}
    rows.insert(schema.head, [head])
    if content.statistics is not None:
        write_statistics(rows, space_id, head_key(head), content.statistics)
    if content.detector is not None:
        rows.insert(schema.detector, [{"space_id": space_id, **detector_row(content.detector, content.vectors)}])


def _write_space(rows: Rows, identity: EncoderIdentity) -> int:
    table = schema.space
    found = rows.connection.execute(select(table.c.id).where(table.c.fingerprint == identity.fingerprint)).scalar()
    if found is None:
        return rows.insert_numbered(table, [vars(identity)])[0]
    rows.update(table, (found,), vars(identity))
    return int(found)


def _use_space(rows: Rows, space_id: int) -> None:
    if rows.connection.execute(select(schema.memory.c.id)).scalar() is None:
        rows.insert(schema.memory, [{"id": 1, "version": 0, "space_id": space_id}])
    else:
        rows.update(schema.memory, (1,), {"space_id": space_id})


def _forget_what_no_encoder_saw(rows: Rows) -> None:
    """Pooled images whose vectors went with their space, and the proposals that they were part of."""
    pooled, member, proposal = schema.pooled, schema.proposal_member, schema.proposal
    gone = pooled.c.id.not_in(select(schema.pooled_vector.c.pooled_id))
    rows.delete(member, member.c.pooled_id.in_(select(pooled.c.id).where(gone)))
    rows.delete(pooled, gone)
    empty = (proposal.c.state == "open") & proposal.c.id.not_in(select(member.c.proposal_id))
    rows.connection.execute(update(proposal).where(empty).values(state="withdrawn"))


def _write_classes(rows: Rows, classes: Sequence[ClassEntry]) -> dict[str, int]:
    """Numbers of the classes by name."""
    table = schema.klass
    ids: dict[str, int] = dict(rows.connection.execute(select(table.c.name, table.c.id)).all())
    wanted = {entry.name for entry in classes}
    for name in ids.keys() - wanted:
        rows.delete(table, table.c.id == ids.pop(name))
    for position, entry in enumerate(classes):
        if entry.name in ids:
            rows.update(table, (ids[entry.name],), {"position": position})
        else:
            ids[entry.name] = rows.insert_numbered(table, [{"name": entry.name, "position": position}])[0]
    return ids


def _write_texts(rows: Rows, classes: Sequence[ClassEntry], class_ids: Mapping[str, int], space_id: int) -> None:
    """Prompts, aliases and text vectors of classes that have none in the memory."""
    rows.insert(
        schema.prompt,
        (
            {"class_id": class_ids[entry.name], "position": position, "text": text}
            for entry in classes
            for position, text in enumerate(entry.prompts)
        ),
    )
    rows.insert(
        schema.alias,
        (
            {"class_id": class_ids[entry.name], "position": position, "name": name}
            for entry in classes
            for position, name in enumerate(entry.aliases)
        ),
    )
    rows.insert(
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


def _write_exemplars(rows: Rows, content: MemoryContent, class_ids: Mapping[str, int], space_id: int) -> None:
    """Exemplars that the memory has not yet, their thumbnails, and the vectors of all in this space."""
    keys = _counted((class_ids[one.class_name], one.content_hash, one.view, one.path) for one in content.exemplars)
    known = _exemplar_ids(rows.connection)
    new = [row for row, key in enumerate(keys) if key not in known]
    rows.insert_numbered(schema.exemplar, [dict(zip(EXEMPLAR_KEY, keys[row][0], strict=True)) for row in new])
    ids = _exemplar_ids(rows.connection)
    rows.insert(
        schema.thumbnail,
        (
            {"exemplar_id": ids[keys[row]], "jpeg": content.exemplars[row].thumbnail}
            for row in new
            if content.exemplars[row].thumbnail is not None
        ),
    )
    rows.insert(
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


def head_row(head: HeadState, calibration: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a head, but for its space."""
    return {
        "name": head.name,
        "params": json_text(head.params, what="head's parameters"),
        "arrays": array_blob(head.arrays),
        "calibration": json_text(calibration, what="calibration"),
        "training": json_text(training, what="training findings"),
    }


def head_key(row: Row) -> str:
    """Hash of a head: what statistics are marked with that are of the exemplars that it was fitted on."""
    return digest_text(row_hash(schema.head, row))


def write_statistics(
    rows: Rows, space_id: int, key: str, arrays: Mapping[str, NDArray[Any]], *, before: str | None = None
) -> None:
    """Keep the statistics that belong to a head; they are derived, so no log accounts for them.

    Those of the head `before` stay: `undo` brings that one back. All others go.
    """
    table, plain = schema.statistics, Rows(rows.connection)
    plain.delete(table, (table.c.space_id == space_id) & (table.c.head != (before or "")))
    plain.insert(schema.statistics, [{"space_id": space_id, "head": key, "arrays": array_blob(arrays)}])


def detector_row(detector: DetectorState, vectors: Vectors) -> dict[str, Any]:
    """Columns of a detector, but for its space. An array that holds the exemplars' vectors is not kept twice."""
    arrays, params = dict(detector.arrays), dict(detector.params)
    twins = [name for name, array in arrays.items() if array.dtype == np.float32 and np.array_equal(array, vectors)]
    if twins and len(vectors):
        params[OF_EXEMPLARS] = {name: vectors_digest(arrays.pop(name)) for name in twins}
    return {
        "name": detector.name,
        "params": json_text(params, what="detector's parameters"),
        "arrays": array_blob(arrays),
        "report": json_text(detector.report, what="detector's report"),
    }


def next_version(connection: Connection) -> int:
    """Increment the version of the memory, and return it."""
    table = schema.memory
    version = int(connection.execute(select(table.c.version)).scalar_one()) + 1
    connection.execute(update(table).values(version=version))
    return version


def write_provenance(connection: Connection, provenance: Provenance, version: int) -> None:
    """How this version came to be."""
    values = vars(provenance) | {
        "version": version,
        "versions": json_text(provenance.versions, what="package versions"),
    }
    connection.execute(insert(schema.provenance).values(values))


def repeat_provenance(connection: Connection, *, before: int, version: int) -> None:
    """Record that this version came to be like the one that was there before another."""
    table = schema.provenance
    earlier = select(table).where(table.c.version < before).order_by(table.c.version.desc()).limit(1)
    row = connection.execute(earlier).mappings().one()
    connection.execute(insert(table).values(dict(row) | {"version": version}))
