"""Summary of a memory, without its vectors, its head's arrays and its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from inkling.memory import schema
from inkling.memory.classes import KnownClass, known_classes
from inkling.memory.content import SETS, Provenance
from inkling.memory.opened import seeing
from inkling.memory.read import read_encoder, read_provenance, version_of
from inkling.types import EncoderIdentity


@dataclass(frozen=True)
class MemorySummary:
    """What there is to tell of a memory.

    Attributes
    ----------
    version, encoder, provenance
        As in `inkling.memory.content`.
    classes
        Known classes in the order of the head's columns.
    calibration, training
        As in `MemoryContent`, without what prediction sets rest on.
    detector
        Report of what tells unknown images, None where there is none.
    """

    version: int
    encoder: EncoderIdentity
    classes: tuple[KnownClass, ...]
    calibration: Mapping[str, Any]
    training: Mapping[str, Any]
    detector: Mapping[str, Any] | None
    provenance: Provenance


def memory_version(path: str | Path) -> int:
    """The version of a memory by now.

    Raises
    ------
    MemoryFileError
        As for `summarize`.
    """
    with seeing(path) as connection:
        return version_of(connection)


def summarize(path: str | Path) -> MemorySummary:
    """Read the summary of a memory.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    head, detector = schema.head, schema.detector
    with seeing(path) as connection:
        space_id, encoder = read_encoder(connection)
        told = select(head.c.calibration, head.c.training).where(head.c.space_id == space_id)
        calibration, training = connection.execute(told).one()
        report = connection.execute(select(detector.c.report).where(detector.c.space_id == space_id)).scalar()
        version = version_of(connection)
        return MemorySummary(
            version=version,
            encoder=encoder,
            classes=known_classes(connection, space_id, encoder.dimension),
            calibration={key: value for key, value in json.loads(calibration).items() if key != SETS},
            training=json.loads(training),
            detector=None if report is None else json.loads(report),
            provenance=read_provenance(connection, version),
        )
