"""What a report shows besides the measures: the images, the exemplars, and where everything came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inkling.evaluate.groups import GroupedScores
from inkling.evaluate.protocol import class_indices
from inkling.evaluate.run import EvaluatedRun
from inkling.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class EvaluatedImages:
    """The test images in the order in which they were evaluated, those with an unknown label among them.

    Attributes
    ----------
    paths
        As the user names them, (n,).
    p, y
        As passed to `evaluate_predictions`: (n, n_classes) and (n,).
    embeddings
        Unit vectors (n, d).
    thumbnails
        JPEG bytes of each image, None where there is no picture.
    """

    paths: Sequence[str]
    p: FloatArray = field(repr=False)
    y: IntArray = field(repr=False)
    embeddings: FloatArray = field(repr=False)
    thumbnails: Sequence[bytes | None] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Exemplars:
    """The labelled images that the classifier knows, one row an image.

    Attributes
    ----------
    y
        Column of each exemplar's class, (m,).
    embeddings
        Unit vectors (m, d) of the same encoder as the test images.
    """

    paths: Sequence[str]
    y: IntArray = field(repr=False)
    embeddings: FloatArray = field(repr=False)
    thumbnails: Sequence[bytes | None] = field(repr=False)


@dataclass(frozen=True, eq=False)
class ReportContext:
    """Everything that `write_report` needs besides the evaluation.

    Attributes
    ----------
    memory_name, test_name
        For the title, such as ``vehicles.ink`` and ``photos/test``.
    provenance
        What to print at the foot, in order: encoder, command, date, versions. Head, encoder fingerprint,
        memory version and seed are taken from the evaluation.
    finetuning
        How the encoder was fine-tuned, as the memory keeps it; None where it was not.
    grouped
        Top-1 by a column of the test table; None where nobody asked.
    """

    memory_name: str
    test_name: str
    images: EvaluatedImages
    exemplars: Exemplars
    provenance: Mapping[str, str] = field(default_factory=dict)
    finetuning: Mapping[str, Any] | None = None
    grouped: GroupedScores | None = None


def report_context(
    run: EvaluatedRun,
    *,
    memory_name: str,
    test_name: str,
    provenance: Mapping[str, str],
    grouped: GroupedScores | None = None,
) -> ReportContext:
    """What `write_report` needs besides the evaluation, from the run that it was taken in."""
    fitted, samples = run.classifier.fitted, run.samples
    images = [row for row, view in enumerate(fitted.samples.views) if view == 0]
    known = fitted.samples.keep(images)
    return ReportContext(
        memory_name=memory_name,
        test_name=test_name,
        images=EvaluatedImages(samples.paths, run.p, run.y, samples.embeddings, samples.thumbnails),
        exemplars=Exemplars(
            known.paths, class_indices(known.labels, fitted.classes), known.embeddings, known.thumbnails
        ),
        provenance=provenance,
        finetuning=fitted.finetuning,
        grouped=grouped,
    )
