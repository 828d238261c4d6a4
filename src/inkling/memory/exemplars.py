"""The labelled images of a memory, without their vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from inkling.labels import Kind
from inkling.memory import schema
from inkling.memory.opened import seeing
from inkling.memory.read import read_classes, read_encoder, read_exemplars, version_of
from inkling.types import Exemplar


@dataclass(frozen=True)
class LabelledImages:
    """What a memory was trained on, all of one version.

    Attributes
    ----------
    version
        That version.
    classes
        Names of all known classes, those without an image too.
    exemplars
        Their images, each once: no augmented views.
    label_kind
        What the labels were that the memory was trained on.
    """

    version: int
    classes: tuple[str, ...]
    exemplars: tuple[Exemplar, ...]
    label_kind: Kind


def labelled_images(path: str | Path, *, thumbnails: bool) -> LabelledImages:
    """The labelled images of a memory, with the small pictures of them or without.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    head = schema.head
    with seeing(path) as connection:
        space_id, encoder = read_encoder(connection)
        exemplars = read_exemplars(connection, space_id, thumbnails=thumbnails)
        training = connection.execute(select(head.c.training).where(head.c.space_id == space_id)).scalar_one()
        return LabelledImages(
            version=version_of(connection),
            classes=tuple(one.name for one in read_classes(connection, space_id, encoder.dimension)),
            exemplars=tuple(one for one in exemplars if one.view == 0),
            label_kind=Kind(json.loads(training).get("labels", Kind.TEXT.value)),
        )
