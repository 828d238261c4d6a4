"""A fitted classifier, to the content of a memory and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from inkling.classifier.detection import detector_from, detector_state
from inkling.classifier.fitted import FittedClassifier
from inkling.embeddings.samples import Samples
from inkling.heads import head_from_state
from inkling.heads.closed_form import is_closed_form, is_large, statistics_of
from inkling.heads.fitted import FittedHead
from inkling.labels import Kind
from inkling.memory.content import MemoryContent, Provenance
from inkling.provenance import data_hash, inkling_version, now, package_versions
from inkling.types import Exemplar, SkippedImage

WITHOUT_DETECTOR = "unknown images are not told: the memory has no detector of them"
"""What is said once a detector is taken out; as long as there is one, it speaks for itself."""


def to_memory(fitted: FittedClassifier, *, command: str) -> MemoryContent:
    """What the memory keeps; `command` is what made it."""
    samples, head = fitted.samples, fitted.fitted_head
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
        calibration=head.calibration,
        training={
            "head": fitted.head,
            "labels": samples.label_kind.value,
            "finding": head.finding,
            "evidence": list(head.evidence),
            "skipped": [[image.path, image.reason] for image in samples.skipped],
            "finetuning": fitted.finetuning,
            "unknown": fitted.unknown if fitted.detector is None else WITHOUT_DETECTOR,
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
    n, width = fitted.samples.X.shape
    if not is_closed_form(head) or not is_large(n, width, len(fitted.classes)):
        return None
    vectors = fitted.vectors
    return statistics_of(head, vectors.X, vectors.y, vectors.n_classes).arrays()


def from_memory(content: MemoryContent) -> FittedClassifier:
    """Inverse of `to_memory`."""
    training: Mapping[str, Any] = content.training
    head = FittedHead(
        head=head_from_state(content.head),
        classes=tuple(entry.name for entry in content.classes),
        temperature=float(content.calibration["temperature"]),
        calibration=content.calibration,
        finding=training["finding"],
        evidence=training["evidence"],
    )
    detector = detector_from(content.detector)
    return FittedClassifier(
        samples_from(content),
        content.classes,
        head,
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
        label_kind=Kind(content.training.get("labels", Kind.TEXT.value)),
    )
