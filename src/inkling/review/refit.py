"""The head after its classes changed: fitted anew where that takes a moment, else with the weights that it had.

A small memory is fitted as `inkling fit` does it: weights, temperature and evidence are all new. A middling one keeps
weights and temperature, and its experts are fitted anew, as is done where the encoder was tuned on the images. A large
one, whose head follows from class means and a scatter matrix, keeps its space too, and only those statistics change, by
what the class in question contributes. `docs/decisions/refit.md` has the measurements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from inkling.classifier.class_texts import text_matrix
from inkling.classifier.fitted import FittedClassifier, fit_classifier, ships_tuned
from inkling.classifier.persistence import from_memory, to_memory
from inkling.errors import InputError
from inkling.heads import AutoHead, head_from_state
from inkling.heads.base import Head
from inkling.heads.closed_form import in_both_spaces, is_closed_form, is_large, refit_from_statistics, statistics_of
from inkling.heads.statistics import Statistics
from inkling.memory.amend import Amendment
from inkling.memory.classes import class_ids, columns_of_exemplars, images_and_labels, order_classes
from inkling.memory.content import ONE_PASS, WITHOUT_DETECTOR, DetectorState, MemoryContent
from inkling.memory.heads import (
    KeptHead,
    has_detector,
    read_head,
    read_statistics,
    write_detector,
    write_head,
)
from inkling.memory.read import count_exemplars, read_classes, read_content, read_provenance, read_vectors
from inkling.memory.write import write_provenance, write_statistics
from inkling.provenance import current_command, data_hash, inkling_version, now, package_versions
from inkling.types import Vectors
from inkling.unknown.task import images_looked_at

Step = Callable[[Head, Statistics], Statistics]
"""What a decision does to the statistics of the head's exemplars."""
DetectorFitter = Callable[[MemoryContent], DetectorState | None]
"""Refits the detector, from the memory with its new head and the old detector."""

WEIGHTS_OF = "weights_of"
MOMENT = 20_000_000
"""Exemplars x dimensions x classes up to which `auto` is fitted anew, folds and all, within about a second."""


def refit(memory: Amendment, step: Step, *, detect: DetectorFitter | None) -> dict[str, Any]:
    """Fit the head of the classes and exemplars that the memory now has.

    Parameters
    ----------
    step
        What changed, for statistics.
    detect
        Refits the detector of unknown images; without, one that is there is taken out.

    Returns
    -------
    dict
        What came of it, for the log.

    Raises
    ------
    InputError
        If there are fewer than two classes.
    """
    kept = read_head(memory)
    head = head_from_state(kept.state)
    width = memory.encoder.dimension + memory.encoder.feature_dimension
    size = count_exemplars(memory.connection, memory.space_id), width, len(class_ids(memory.connection))
    if is_closed_form(head) and (is_large(*size) or ONE_PASS in kept.training):
        told = _in_closed_form(memory, kept, head, step)
    # Folds of images that the encoder was tuned on would flatter; its weights are of trainings without them.
    elif isinstance(head, AutoHead) and (math.prod(size) > MOMENT or ships_tuned(kept.training.get("finetuning"))):
        told = _with_weights(memory, kept)
    else:
        told = _from_scratch(memory)
    return told | _detector(memory, detect)


def more_examples(column: int, vectors: Vectors) -> Step:
    """Statistics with more examples of the class in this column; the one behind the last is new."""

    def step(head: Head, statistics: Statistics) -> Statistics:
        known = statistics if column < len(statistics.counts) else statistics.with_class()
        return known.with_examples(column, *in_both_spaces(head, vectors)) if len(vectors) else known

    return step


def fewer_examples(column: int, vectors: Vectors) -> Step:
    """Statistics without some examples of the class in this column."""

    def step(head: Head, statistics: Statistics) -> Statistics:
        return statistics.without_examples(column, *in_both_spaces(head, vectors)) if len(vectors) else statistics

    return step


def one_by_one(steps: Sequence[Step]) -> Step:
    """Several steps, in their order."""

    def step(head: Head, statistics: Statistics) -> Statistics:
        for one in steps:
            statistics = one(head, statistics)
        return statistics

    return step


def fit_anew(memory: Amendment, *, detect: DetectorFitter | None) -> dict[str, Any]:
    """Fit head, weights, temperature and detector anew, however large the memory is."""
    return _from_scratch(memory) | _detector(memory, detect)


def _from_scratch(memory: Amendment) -> dict[str, Any]:
    """As `inkling fit` does it, from the vectors in the memory."""
    before = from_memory(read_content(memory.connection, thumbnails=False).content)
    fitted = fit_classifier(
        before.samples, before.entries, head=before.head, seed=before.seed, unlabelled=before.fitted_head.unlabelled
    )
    content = _as_content(fitted, before)
    _write(memory, fitted.classes, content)
    return {"refit": "anew", "finding": content.training["finding"]}


def _with_weights(memory: Amendment, kept: KeptHead) -> dict[str, Any]:
    """Fit the experts of `auto` on the vectors in the memory; its weights and temperature stay."""
    before = from_memory(read_content(memory.connection, thumbnails=False).content)
    fitted = fit_classifier(
        before.samples, before.entries, head=before.head, seed=before.seed, previous=before.fitted_head
    )
    content = _as_content(fitted, before)
    training = {**_noted(kept.training, memory.version - 1), "unknown": content.training["unknown"]}
    _write(memory, fitted.classes, replace(content, training=training))
    return {"refit": "with the weights that it had", "finding": training["finding"]}


def _as_content(fitted: FittedClassifier, before: FittedClassifier) -> MemoryContent:
    """A refitted classifier, in a memory's terms."""
    unknown = before.unknown if before.detector is None else WITHOUT_DETECTOR
    return to_memory(
        replace(
            fitted,
            finetuning=before.finetuning,
            unknown=unknown,
            hierarchy=before.hierarchy,
            unlabelled=before.unlabelled,
        ),
        command=current_command(),
    )


def _write(memory: Amendment, classes: Sequence[str], content: MemoryContent) -> None:
    """Put a head in the place of the one before it."""
    order_classes(memory, classes)
    key = write_head(memory, content.head, calibration=content.calibration, training=content.training)
    if content.statistics is not None:
        write_statistics(memory.rows, memory.space_id, key, content.statistics)
    write_provenance(memory.connection, content.provenance, memory.version)


def _in_closed_form(memory: Amendment, kept: KeptHead, head: Head, step: Step) -> dict[str, Any]:
    """Fit the head in closed form; its weights, temperature and space stay."""
    statistics = _statistics(memory, kept, head, step)
    entries = read_classes(memory.connection, memory.space_id, memory.encoder.dimension)
    fitted = refit_from_statistics(head, statistics, text_matrix(entries, memory.encoder.dimension))
    training = _noted(kept.training, memory.version - 1)
    key = write_head(memory, fitted.state(), calibration=kept.calibration, training=training)
    write_statistics(memory.rows, memory.space_id, key, statistics.arrays(), before=kept.key)
    _renew_provenance(memory)
    return {"refit": "in closed form", "finding": training["finding"]}


def _statistics(memory: Amendment, kept: KeptHead, head: Head, step: Step) -> Statistics:
    """Statistics of the exemplars that there are now; without kept ones, from their vectors."""
    arrays = read_statistics(memory, kept.key)
    if arrays is not None:
        return step(head, Statistics.from_arrays(arrays))
    if ONE_PASS in kept.training:
        raise InputError(
            f"The memory was fitted in one pass over {kept.training[ONE_PASS]['vectors']} vectors, and what it kept of "
            "them belongs to a later version.",
            remedy="Fit again from the vectors; or 'inkling refit', in Python Decisions.refit, which learns from the "
            "exemplars alone that the memory has.",
        )
    columns = columns_of_exemplars(memory)
    width = memory.encoder.dimension + memory.encoder.feature_dimension
    X = read_vectors(memory.connection, memory.space_id, (len(columns), width))
    return statistics_of(head, X, columns, len(class_ids(memory.connection)))


def _noted(training: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The findings of the last fit, marked as such."""
    if WEIGHTS_OF in training:
        return dict(training)
    finding = f"{training['finding']} (weights and temperature of version {version})"
    return {**training, "finding": finding, WEIGHTS_OF: version}


def _renew_provenance(memory: Amendment) -> None:
    before = read_provenance(memory.connection, memory.version)
    provenance = replace(
        before,
        created=now(),
        inkling_version=inkling_version(),
        command=current_command(),
        versions=package_versions(),
        data_hash=data_hash(*images_and_labels(memory)),
    )
    write_provenance(memory.connection, provenance, memory.version)


def _detector(memory: Amendment, detect: DetectorFitter | None) -> dict[str, Any]:
    """Refit the detector. An old one would take the new class for unknown, so it never stays."""
    had = has_detector(memory)
    detector = None if detect is None else detect(_examples(memory))
    if not had and detector is None:
        return {}
    write_detector(memory, detector)
    if detector is None:
        return {"detector": "taken out"}
    return {"detector": "fitted again" if had else "fitted for the first time"}


def _examples(memory: Amendment) -> MemoryContent:
    """What a detector is fitted on: all exemplars, or as many of each class as it would look at of a large memory."""
    n_classes = len(class_ids(memory.connection))
    most = images_looked_at(n_classes)
    per_class = None if count_exemplars(memory.connection, memory.space_id) <= most else most // n_classes
    return read_content(memory.connection, thumbnails=False, per_class=per_class).content
