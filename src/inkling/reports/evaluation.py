"""The report of an evaluation. Pictures and marks are bounded in number and size, and so is the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from inkling.errors import InputError
from inkling.evaluate.results import ClassScores, Evaluation
from inkling.evaluate.training_images import TrainingImages
from inkling.outputs import appearing_whole
from inkling.reports import wording
from inkling.reports.content import EvaluatedImages, Exemplars, ReportContext
from inkling.reports.figures.comparison import ComparisonFigure, comparison_figure
from inkling.reports.figures.confusion import ConfusionFigure, confusion_figure, most_confused_with
from inkling.reports.figures.embedding_map import MapFigure, map_figure
from inkling.reports.figures.reliability import ReliabilityFigure, reliability_figure
from inkling.reports.finetuning import FineTuningFigures, finetuning_figures
from inkling.reports.mistakes import Mistake, confident_mistakes
from inkling.reports.pages import page_of
from inkling.reports.portable import is_rooted, shared_folder, shown_name, shown_paths, shown_text, without_places
from inkling.types import SkippedImage

__all__ = ["EvaluatedImages", "Exemplars", "ReportContext", "render_report", "write_report"]

MOST_SKIPPED = 200
MOST_CLASS_ROWS = 1000
CLASS_ROWS_IN_VIEW = 24


@dataclass(frozen=True)
class ClassRow:
    """A class in the table of classes; `confused_with` names the class it is most often taken for."""

    scores: ClassScores
    confused_with: tuple[str, int] | None


@dataclass(frozen=True)
class _Page:
    """All that the templates read."""

    evaluation: Evaluation
    context: ReportContext
    comparison: ComparisonFigure
    confusion: ConfusionFigure
    class_rows: tuple[ClassRow, ...]
    mistakes: tuple[Mistake, ...]
    n_mistakes: int
    reliability: ReliabilityFigure
    map: MapFigure
    finetuning: FineTuningFigures | None
    provenance: Mapping[str, str]


def write_report(path: str | Path, evaluation: Evaluation, context: ReportContext) -> Path:
    """Write the report to a file. A reader sees the old file or the whole new one, never half.

    Raises
    ------
    InputError
        If the file cannot be written, or the context does not belong to the evaluation.
    """
    page = render_report(evaluation, context).encode("utf-8", "replace")
    with appearing_whole(path) as draft:
        draft.write_bytes(page)
    return Path(path)


def render_report(evaluation: Evaluation, context: ReportContext) -> str:
    """The report as HTML.

    Raises
    ------
    InputError
        If the context does not belong to the evaluation.
    """
    _check(evaluation, context)
    evaluation, context = _portable(evaluation, context)
    return page_of(
        "report.html.j2",
        _page(evaluation, context),
        wording=wording,
        most_skipped=MOST_SKIPPED,
        most_class_rows=MOST_CLASS_ROWS,
        class_rows_in_view=CLASS_ROWS_IN_VIEW,
    )


def _check(evaluation: Evaluation, context: ReportContext) -> None:
    images, exemplars = context.images, context.exemplars
    for noun, owner, n in (("images", images, len(images.y)), ("exemplars", exemplars, len(exemplars.y))):
        lengths = {name: len(getattr(owner, name)) for name in ("paths", "embeddings", "thumbnails")}
        wrong = {name: length for name, length in lengths.items() if length != n}
        if wrong:
            raise InputError(f"The report's {noun} should have {n} entries each, got {wrong}.")
    if int((images.y >= 0).sum()) != evaluation.n or images.p.shape[1] != len(evaluation.classes):
        raise InputError(
            "The report's images are not those of the evaluation.",
            remedy="Pass the same p and y to evaluate_predictions and to the report.",
        )


def _portable(evaluation: Evaluation, context: ReportContext) -> tuple[Evaluation, ReportContext]:
    """The same without the folders of this machine."""
    images, exemplars, skipped = context.images, context.exemplars, evaluation.context.skipped
    pairs = _portable_pairs(evaluation.context.training_images)
    every, n = [*images.paths, *(image.path for image in skipped)], len(images.paths)
    paths, folder = shown_paths(every), shared_folder(every)
    told = tuple(
        SkippedImage(path, shown_text(one.reason, folder=folder)) for path, one in zip(paths[n:], skipped, strict=True)
    )
    return (
        replace(evaluation, context=replace(evaluation.context, skipped=told, training_images=pairs)),
        replace(
            context,
            memory_name=shown_name(context.memory_name),
            test_name=shown_name(context.test_name) if is_rooted(context.test_name) else context.test_name,
            images=replace(images, paths=paths[:n]),
            exemplars=replace(exemplars, paths=shown_paths(exemplars.paths)),
            provenance=without_places(context.provenance),
        ),
    )


def _portable_pairs(found: TrainingImages) -> TrainingImages:
    paths, exemplars = shown_paths([one.path for one in found.images]), shown_paths([o.exemplar for o in found.images])
    pairs = zip(found.images, paths, exemplars, strict=True)
    return replace(found, images=tuple(replace(one, path=path, exemplar=known) for one, path, known in pairs))


def _page(evaluation: Evaluation, context: ReportContext) -> _Page:
    images, exemplars, classes = context.images, context.exemplars, evaluation.classes
    known = images.y >= 0
    return _Page(
        evaluation=evaluation,
        context=context,
        comparison=comparison_figure(evaluation),
        confusion=confusion_figure(evaluation),
        class_rows=_class_rows(evaluation),
        mistakes=confident_mistakes(images, exemplars, classes),
        n_mistakes=evaluation.n - evaluation.n_correct,
        reliability=reliability_figure(images.p[known], images.y[known]),
        map=map_figure(images, exemplars, classes, seed=evaluation.seed),
        finetuning=None if context.finetuning is None else finetuning_figures(context.finetuning),
        provenance=_provenance(evaluation, context),
    )


def _class_rows(evaluation: Evaluation) -> tuple[ClassRow, ...]:
    """The class with the lowest recall first, those without test images last."""
    confused = most_confused_with(evaluation)
    by_recall = sorted(evaluation.per_class, key=lambda entry: 2.0 if entry.recall is None else entry.recall)
    return tuple(ClassRow(entry, confused.get(entry.name)) for entry in by_recall)


def _provenance(evaluation: Evaluation, context: ReportContext) -> dict[str, str]:
    measured = {
        "Head": evaluation.context.head,
        "Encoder fingerprint": evaluation.context.encoder_fingerprint,
        "Memory version": evaluation.context.memory_version,
        "Seed": evaluation.seed,
    }
    told = {name: str(value) for name, value in measured.items() if value is not None}
    # The encoder leads, wherever it comes from.
    first = {name: value for name, value in context.provenance.items() if name.startswith("Encoder")}
    return {**first, **told, **context.provenance}
