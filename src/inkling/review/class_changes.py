"""Decisions about known classes, each within a transaction: add, remove, rename."""

from __future__ import annotations

from typing import Any

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.encoders.identity import check_encoder
from inkling.errors import InputError
from inkling.heads.base import Head
from inkling.heads.closed_form import in_both_spaces
from inkling.heads.statistics import Statistics
from inkling.memory.amend import Amendment
from inkling.memory.classes import (
    add_class,
    add_exemplars,
    class_ids,
    class_vectors,
    images_of_class,
    remove_class,
    rename_class,
)
from inkling.memory.pool import back_to_pool
from inkling.review.lookup import check_new_name, known_class
from inkling.review.proposal_changes import more_examples
from inkling.review.refit import DetectorFitter, refit
from inkling.types import ClassEntry, Exemplar


def add(
    memory: Amendment, entry: ClassEntry, samples: Samples | None, *, detect: DetectorFitter | None
) -> dict[str, Any]:
    """Add a class with its images, its text, or both."""
    check_new_name(memory, entry.name)
    class_id = add_class(memory, entry)
    column = len(class_ids(memory.connection)) - 1
    vectors = np.zeros((0, memory.encoder.dimension + memory.encoder.feature_dimension), np.float32)
    if samples is not None:
        check_encoder(memory.encoder, samples.identity)
        vectors = samples.X
        facts = zip(samples.paths, samples.content_hashes, samples.views, samples.thumbnails, strict=True)
        exemplars = [Exemplar(path, key, entry.name, view, picture) for path, key, view, picture in facts]
        add_exemplars(memory, class_id, exemplars, vectors)
    told = refit(memory, more_examples(column, vectors), detect=detect)
    return {"class": entry.name, "images": len(vectors), "has_text": entry.text_vector is not None} | told


def remove(memory: Amendment, name: str, *, detect: DetectorFitter | None) -> dict[str, Any]:
    """Take out a class. Its images that came from the pool wait there again."""
    class_id = known_class(memory, name)
    names = list(class_ids(memory.connection))
    if len(names) <= 2:
        raise InputError(
            f"A classifier needs at least two classes; without '{name}' there would be {len(names) - 1}.",
            remedy="Add another class first.",
        )
    column, vectors = names.index(name), class_vectors(memory, class_id)
    images = images_of_class(memory.connection, class_id)
    remove_class(memory, class_id)
    back_to_pool(memory, images)

    def step(head: Head, statistics: Statistics) -> Statistics:
        return statistics.without_class(column, in_both_spaces(head, vectors)[1])

    return {"class": name, "images": len(images)} | refit(memory, step, detect=detect)


def rename(memory: Amendment, name: str, to: str) -> dict[str, Any]:
    """Give a class another name. What it looks like, and its texts, stay."""
    class_id = known_class(memory, name)
    check_new_name(memory, to)
    rename_class(memory, class_id, to)
    return {"class": to, "from": name}
