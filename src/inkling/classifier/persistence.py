"""A fitted classifier, to the content of a memory and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inkling.classifier.detection import detector_from, detector_state
from inkling.classifier.fitted import FittedClassifier
from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import Samples, StoredSamples
from inkling.errors import MemoryFileError
from inkling.heads import head_from_state
from inkling.heads.closed_form import is_closed_form, is_large, statistics_of
from inkling.heads.fitted import FittedHead
from inkling.heads.hierarchy import Hierarchy
from inkling.heads.prediction_sets import SetCalibration
from inkling.labels import Kind
from inkling.memory.content import (
    ONE_PASS,
    PARENTS,
    SETS,
    UNLABELLED,
    VIEWS,
    WITHOUT_DETECTOR,
    MemoryContent,
    Provenance,
    StoredMemory,
    unknown_finding,
)
from inkling.memory.faults import damaged
from inkling.memory.place import place_of
from inkling.memory.store import read_memory, read_some_vectors
from inkling.provenance import data_hash, inkling_version, now, package_versions
from inkling.redaction import redacted
from inkling.types import EncoderIdentity, Exemplar, SkippedImage, Vectors
from inkling.wording import excerpt


def to_memory(fitted: FittedClassifier, *, command: str) -> MemoryContent:
    """What the memory keeps; `command` is what made it."""
    samples, head = fitted.samples, fitted.fitted_head
    sets = head.set_calibration
    labels = [str(label) for label in samples.labels]
    exemplars = zip(samples.paths, samples.content_hashes, labels, samples.views, samples.thumbnails, strict=True)
    return MemoryContent(
        encoder=samples.identity,
        classes=fitted.entries,
        exemplars=tuple(Exemplar(*row) for row in exemplars),
        vectors=samples.X,
        head=head.head.state(),
        statistics=_statistics(fitted),
        detector=None if fitted.detector is None else detector_state(fitted.detector),
        calibration={**head.calibration, **({} if sets is None else {SETS: sets.to_json()})},
        training={
            "head": fitted.head,
            "labels": samples.label_kind.value,
            "finding": head.finding,
            "evidence": list(head.evidence),
            "groups": None if samples.groups is None else samples.groups.to_json(),
            "skipped": [[image.path, image.reason] for image in samples.skipped],
            "finetuning": fitted.finetuning,
            "unknown": fitted.unknown if fitted.detector is None else WITHOUT_DETECTOR,
            **({} if fitted.hierarchy is None else {PARENTS: dict(fitted.hierarchy.parents)}),
            **({} if samples.stated_views is None else {VIEWS: samples.stated_views}),
            **({} if fitted.unlabelled is None else {UNLABELLED: fitted.unlabelled}),
            **({} if fitted.one_pass is None else {ONE_PASS: fitted.one_pass}),
        },
        provenance=Provenance(
            created=now(),
            inkling_version=inkling_version(),
            command=command,
            seed=fitted.seed,
            versions=package_versions(),
            data_hash=data_hash(samples.content_hashes, labels),
        ),
    )


def _statistics(fitted: FittedClassifier) -> Mapping[str, NDArray[Any]] | None:
    """What decisions need to refit the head without its exemplars, where reading those takes long."""
    head = fitted.fitted_head.head
    if fitted.one_pass is not None:
        return None if fitted.statistics is None else fitted.statistics.arrays()
    n, width = fitted.samples.X.shape
    if not is_closed_form(head) or not is_large(n, width, len(fitted.classes)):
        return None
    vectors = fitted.vectors
    return statistics_of(head, vectors.X, vectors.y, vectors.n_classes).arrays()


def from_memory(content: MemoryContent, *, samples: Samples | None = None) -> FittedClassifier:
    """Inverse of `to_memory`.

    Parameters
    ----------
    samples
        The labelled samples, where the content was read without exemplars.
    """
    training: Mapping[str, Any] = content.training
    calibration = dict(content.calibration)
    sets = calibration.pop(SETS, None)
    head = FittedHead(
        head=head_from_state(content.head),
        classes=tuple(entry.name for entry in content.classes),
        temperature=float(calibration["temperature"]),
        calibration=calibration,
        finding=training["finding"],
        evidence=training["evidence"],
        set_calibration=None if sets is None else SetCalibration.from_json(sets),
    )
    kept = content.detector
    detector = detector_from(kept)
    return FittedClassifier(
        samples_from(content) if samples is None else samples,
        content.classes,
        head,
        seed=content.provenance.seed,
        head=training["head"],
        finetuning=training.get("finetuning"),
        detector=detector,
        unknown=unknown_finding(training, None if kept is None or detector is None else kept.report),
        hierarchy=Hierarchy.of(training[PARENTS].items()) if PARENTS in training else None,
        unlabelled=training.get(UNLABELLED),
        one_pass=training.get(ONE_PASS),
    )


def load_classifier(path: str | Path) -> tuple[FittedClassifier, int]:
    """What a memory knows, and its version; exemplars and vectors are read from it when they are first asked for.

    Raises
    ------
    MemoryFileError
        If the file is missing, damaged, foreign or of a newer release; and later, when rows are asked for, if it has
        another encoder by then.
    """
    stored = read_memory(path, exemplars=False)
    known = samples_from(stored.content)
    samples = StoredSamples(known, partial(_samples_as_loaded, path, stored), partial(_some_vectors, path, stored))
    try:
        return from_memory(stored.content, samples=samples), stored.version
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        detail = f"its head or detector cannot be restored ({type(error).__name__}: {excerpt(error)})"
        raise damaged(place_of(path), detail) from error


def _samples_as_loaded(path: str | Path, loaded: StoredMemory) -> Samples:
    """The samples of the classes that were loaded, under the names that they had then."""
    stored = read_memory(path)
    _require_encoder_of(loaded, stored.content.encoder, path)
    name_of = dict(zip(loaded.class_ids, _names(loaded), strict=True))
    then = {now: name_of.get(number) for number, now in zip(stored.class_ids, _names(stored), strict=True)}
    samples = samples_from(stored.content)
    labels = tuple(then[str(label)] for label in samples.labels)
    if labels == samples.labels:
        return samples
    return replace(samples, labels=labels).keep([row for row, label in enumerate(labels) if label is not None])


def _some_vectors(path: str | Path, loaded: StoredMemory, most: int) -> Vectors:
    """Vectors of so many exemplars at most."""
    encoder, vectors = read_some_vectors(path, most)
    _require_encoder_of(loaded, encoder, path)
    return vectors


def _require_encoder_of(loaded: StoredMemory, encoder: EncoderIdentity, path: str | Path) -> None:
    if encoder.fingerprint != loaded.content.encoder.fingerprint:
        raise MemoryFileError(
            f"The memory {redacted(str(path))} has another encoder by now than when it was loaded.",
            remedy="Load it again.",
        )


def _names(stored: StoredMemory) -> list[str]:
    return [entry.name for entry in stored.content.classes]


def samples_from(content: MemoryContent) -> Samples:
    """The labelled samples that a memory was trained on."""
    exemplars = content.exemplars
    return Samples(
        identity=content.encoder,
        paths=tuple(exemplar.path for exemplar in exemplars),
        labels=tuple(exemplar.class_name for exemplar in exemplars),
        content_hashes=tuple(exemplar.content_hash for exemplar in exemplars),
        thumbnails=tuple(exemplar.thumbnail for exemplar in exemplars),
        views=tuple(exemplar.view for exemplar in exemplars),
        X=content.vectors,
        skipped=tuple(SkippedImage(path, reason) for path, reason in content.training["skipped"]),
        label_kind=label_kind_of(content),
        groups=Groups.from_json(content.training.get("groups")),
        stated_views=content.training.get(VIEWS),
    )


def label_kind_of(content: MemoryContent) -> Kind:
    """What the labels were of that a memory was trained on."""
    return Kind(content.training.get("labels", Kind.TEXT.value))
