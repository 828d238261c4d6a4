"""What a classifier was taught, to the content of a memory and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.classifier.detection import detector_from, detector_state
from inkling.classifier.fitted import Taught
from inkling.embeddings.samples import Samples
from inkling.heads import head_from_state
from inkling.heads.closed_form import is_closed_form, is_large, statistics_of
from inkling.heads.fitted import FittedHead
from inkling.memory.content import MemoryContent, Provenance
from inkling.provenance import data_hash, inkling_version, now, package_versions
from inkling.types import Exemplar, SkippedImage

WITHOUT_DETECTOR = "unknown images are not told: the memory has no detector of them"
"""What is said once a detector is taken out; as long as there is one, it speaks for itself."""


def to_memory(taught: Taught, *, command: str) -> MemoryContent:
    """What the memory keeps; `command` is what made it."""
    samples, fitted = taught.samples, taught.fitted
    labels = [str(label) for label in samples.labels]
    exemplars = zip(samples.paths, samples.content_hashes, labels, samples.views, samples.thumbnails, strict=True)
    return MemoryContent(
        encoder=samples.identity,
        classes=taught.entries,
        exemplars=tuple(Exemplar(*row) for row in exemplars),
        vectors=samples.X,
        head=fitted.head.state(),
        statistics=_statistics(taught),
        detector=None if taught.detector is None else detector_state(taught.detector),
        calibration=fitted.calibration,
        training={
            "head": taught.head,
            "finding": fitted.finding,
            "evidence": list(fitted.evidence),
            "skipped": [[image.path, image.reason] for image in samples.skipped],
            "finetuning": taught.finetuning,
            "unknown": taught.unknown if taught.detector is None else WITHOUT_DETECTOR,
        },
        provenance=Provenance(
            created=now(),
            inkling_version=inkling_version(),
            command=command,
            seed=taught.seed,
            versions=package_versions(),
            data_hash=data_hash(samples.content_hashes, labels),
        ),
    )


def _statistics(taught: Taught) -> Mapping[str, NDArray[Any]] | None:
    """What decisions need to fit the head again without its exemplars, where reading those takes long."""
    samples, head = taught.samples, taught.fitted.head
    n, width = samples.X.shape
    if not is_closed_form(head) or not is_large(n, width, len(taught.classes)):
        return None
    column = {name: k for k, name in enumerate(taught.classes)}
    y = np.array([column[str(label)] for label in samples.labels])
    return statistics_of(head, samples.X, y, len(column)).arrays()


def from_memory(content: MemoryContent) -> Taught:
    """Inverse of `to_memory`."""
    training: Mapping[str, Any] = content.training
    fitted = FittedHead(
        head=head_from_state(content.head),
        classes=tuple(entry.name for entry in content.classes),
        temperature=float(content.calibration["temperature"]),
        calibration=content.calibration,
        finding=training["finding"],
        evidence=training["evidence"],
    )
    detector = detector_from(content.detector)
    return Taught(
        samples_from(content),
        content.classes,
        fitted,
        seed=content.provenance.seed,
        head=training["head"],
        finetuning=training.get("finetuning"),
        detector=detector,
        unknown=training.get("unknown", WITHOUT_DETECTOR) if detector is None else detector.finding,
    )


def samples_from(content: MemoryContent) -> Samples:
    """The labelled samples that a memory was taught with."""
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
    )
