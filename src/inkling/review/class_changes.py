"""Decisions about known classes, each within a transaction: add, remove, rename."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inkling.classifier.indistinct import texts_left_out
from inkling.embeddings.samples import Samples
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
from inkling.memory.heads import rename_in_findings
from inkling.memory.settle import settle
from inkling.review.groups import remember_views
from inkling.review.lookup import check_new_name, known_class
from inkling.review.new_class import Prepared
from inkling.review.one_class import without_known_images
from inkling.review.refit import DetectorFitter, more_examples, refit
from inkling.types import Exemplar

_ONE_BY_ONE = "Choose another name; 'inkling move' takes an image from one class to another."


def add(memory: Amendment, prepared: Prepared, *, detect: DetectorFitter | None) -> dict[str, Any]:
    """Add a class with its images, its text, or both."""
    prepared.require_space_of(memory)
    (entry,), samples = prepared.entries, prepared.samples
    check_new_name(memory, entry.name)
    class_id = add_class(memory, entry)
    vectors = np.zeros((0, memory.encoder.dimension + memory.encoder.feature_dimension), np.float32)
    if samples is not None:
        samples = without_known_images(memory, samples)
        vectors = samples.X
        add_exemplars(memory, class_id, exemplars_of(samples, [entry.name] * len(samples)), vectors)
        remember_views(memory, samples)
    settle(memory.rows)
    column = len(class_ids(memory.connection)) - 1
    told = refit(memory, more_examples(column, vectors), detect=detect)
    skipped = () if samples is None else samples.skipped
    n_images = 0 if samples is None else samples.n_images
    about = {"class": entry.name, "images": n_images, "has_text": entry.text_vector is not None}
    about |= {"texts": texts_left_out(prepared.entries)}
    return about | {"skipped": [{"path": one.path, "reason": one.reason} for one in skipped]} | told


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
    settle(memory.rows)

    def step(head: Head, statistics: Statistics) -> Statistics:
        return statistics.without_class(column, in_both_spaces(head, vectors)[1])

    return {"class": name, "images": len(images)} | refit(memory, step, detect=detect)


def rename(memory: Amendment, name: str, to: str) -> dict[str, Any]:
    """Give a class another name. What it looks like, and its texts, stay."""
    class_id = known_class(memory, name)
    check_new_name(memory, to, instead_of=name, remedy=_ONE_BY_ONE)
    rename_class(memory, class_id, to)
    rename_in_findings(memory, name, to)
    return {"class": to, "from": name}


def exemplars_of(samples: Samples, names: Sequence[str]) -> list[Exemplar]:
    """Samples as exemplars of classes, by name."""
    facts = zip(samples.paths, samples.content_hashes, names, samples.views, samples.thumbnails, strict=True)
    return [Exemplar(*row) for row in facts]
