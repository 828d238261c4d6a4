"""The head in use and the statistics that go with it, read and written within a change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from inkling.memory import schema
from inkling.memory.amend import Amendment
from inkling.memory.columns import blob_arrays, json_text
from inkling.memory.content import PARENTS, SETS, DetectorState
from inkling.memory.journal import row_of
from inkling.memory.read import count_exemplars, read_vectors
from inkling.memory.write import detector_row, head_key, head_row, write_statistics
from inkling.types import HeadState, Vectors


@dataclass(frozen=True, eq=False)
class KeptHead:
    """The head of a space as the memory keeps it.

    Attributes
    ----------
    state
        Of the head.
    calibration, training
        As in `MemoryContent`.
    key
        Hash of it all: statistics that bear it are of the exemplars that it was fitted on.
    """

    state: HeadState
    calibration: Mapping[str, Any]
    training: Mapping[str, Any]
    key: str


def read_head(memory: Amendment) -> KeptHead:
    """The head in use.

    Raises
    ------
    ValueError
        If there is none.
    """
    row = row_of(memory.connection, schema.head, (memory.space_id,))
    if row is None:
        raise ValueError("its space has no head")
    state = HeadState(row["name"], json.loads(row["params"]), blob_arrays(row["arrays"]))
    return KeptHead(state, json.loads(row["calibration"]), json.loads(row["training"]), head_key(row))


def write_head(
    memory: Amendment, head: HeadState, *, calibration: Mapping[str, Any], training: Mapping[str, Any]
) -> str:
    """Put a head in place of the one in use; returns its key."""
    row = head_row(head, calibration, training)
    memory.rows.update(schema.head, (memory.space_id,), row)
    return head_key(row | {"space_id": memory.space_id})


def rename_in_findings(memory: Amendment, name: str, to: str) -> None:
    """Have what prediction sets rest on, and the groups of classes, follow another name of a class."""
    row = row_of(memory.connection, schema.head, (memory.space_id,))
    if row is None:
        return
    calibration, training = json.loads(row["calibration"]), json.loads(row["training"])
    new = {name: to}
    if SETS in calibration:
        calibration[SETS]["names"] = [new.get(one, one) for one in calibration[SETS]["names"]]
    if PARENTS in training:
        pairs = training[PARENTS].items()
        training[PARENTS] = {new.get(child, child): new.get(parent, parent) for child, parent in pairs}
    told = {
        "calibration": json_text(calibration, what="calibration"),
        "training": json_text(training, what="training findings"),
    }
    memory.rows.update(schema.head, (memory.space_id,), told)
    before, key = head_key(row), head_key({**row, **told})
    statistics = read_statistics(memory, before)
    if statistics is not None and key != before:
        write_statistics(memory.rows, memory.space_id, key, statistics, before=before)


def groups_of_classes(memory: Amendment) -> Mapping[str, str]:
    """Group above each class and group, by its name; empty where the user gave none."""
    table = schema.head
    asked = select(table.c.training).where(table.c.space_id == memory.space_id)
    told = memory.connection.execute(asked).scalar()
    return {} if told is None else cast("Mapping[str, str]", json.loads(told).get(PARENTS, {}))


def read_statistics(memory: Amendment, key: str) -> dict[str, NDArray[Any]] | None:
    """Statistics of the exemplars that the head with this key was fitted on, if they are kept."""
    row = row_of(memory.connection, schema.statistics, (memory.space_id, key))
    return None if row is None else blob_arrays(row["arrays"])


def has_detector(memory: Amendment) -> bool:
    """Whether the space in use has one; it is not read."""
    table = schema.detector
    found = select(table.c.space_id).where(table.c.space_id == memory.space_id)
    return memory.connection.execute(found).first() is not None


def write_detector(memory: Amendment, detector: DetectorState | None) -> None:
    """Put a detector in place of the one in use; None takes it out."""
    memory.rows.delete(schema.detector, schema.detector.c.space_id == memory.space_id)
    if detector is not None:
        row = detector_row(detector, _twin(memory, detector))
        memory.rows.insert(schema.detector, [{"space_id": memory.space_id, **row}])


def _twin(memory: Amendment, detector: DetectorState) -> Vectors:
    """The exemplars' vectors if the detector has an array of their shape, which may hold them; else no row."""
    width = memory.encoder.dimension + memory.encoder.feature_dimension
    shape = (count_exemplars(memory.connection, memory.space_id), width)
    if any(array.shape == shape for array in detector.arrays.values()):
        return read_vectors(memory.connection, memory.space_id, shape)
    return np.zeros((0, width), dtype=np.float32)
