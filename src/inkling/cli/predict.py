"""inkling predict: label images with calibrated probabilities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from inkling.cli.basis import unmeasured
from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.discover import print_explored
from inkling.cli.in_parts import HERE, Sitting, predict_in_parts
from inkling.cli.label_studio_tasks import TaskForm, task_form
from inkling.cli.options import (
    Address,
    ByClass,
    Confidence,
    CoverageRate,
    Device,
    Engine,
    ErrorRate,
    Gpus,
    InGroups,
    Json,
    Margin,
    Memory,
    MinImages,
    MovedEncoder,
    NoCache,
    ParentsFile,
    Randomized,
    Resume,
    Root,
    Vocabulary,
)
from inkling.cli.progress import board, counting
from inkling.cli.promises import Tally, asked_promises, tell_promises
from inkling.cli.sources import any_lost, open_sources
from inkling.cli.tables import print_table
from inkling.cli.usage import whole
from inkling.cli.verdicts import Write, check_target, open_writer
from inkling.errors import InputError
from inkling.payloads import explored_payload, skipped_payload, verdict_columns, verdict_payload

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.embed import Progress
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.sources import Found
    from inkling.review.observe import Observer
    from inkling.types import ImageRecord, SkippedImage, Verdict

SHOWN = 50
LIKELIEST = 2
"""Names of an unknown image that the table has room for."""


def run(
    memory: Memory,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES_OR_DIR...",
            help="Images, folders, zips, tables, JSON with boxes, '-', or files of embeddings.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="OUT.csv|OUT.parquet|DIR|-",
            help="Write a row for each image; '-' is CSV, a folder or URL takes parts.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="label-studio",
            help="Write tasks with predictions instead, OUT.json, which Label Studio imports.",
            show_default=False,
        ),
    ] = None,
    label_config: Annotated[
        Path | None,
        typer.Option(
            "--label-config", metavar="FILE.xml", help="Labelling interface of the project.", show_default=False
        ),
    ] = None,
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Write cells as they are that would steer a spreadsheet or a terminal.")
    ] = False,
    top: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="Classes to name for each image.")] = 5,
    names: Annotated[
        int,
        typer.Option(parser=whole(0), metavar="N", help="Likely names to give to each unknown image; 0 gives none."),
    ] = 5,
    vocabulary: Vocabulary = None,
    coverage: CoverageRate = None,
    by_class: ByClass = False,
    randomized: Randomized = False,
    hierarchy: InGroups = False,
    parents: ParentsFile = None,
    error_rate: ErrorRate = None,
    observe: Annotated[
        bool,
        typer.Option("--observe", help="Keep candidates (p-value up to .5), and propose new classes."),
    ] = False,
    min_images: MinImages = 5,
    encoder: MovedEncoder = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    device: Device = "auto",
    no_cache: NoCache = False,
    engine: Engine = HERE,
    address: Address = None,
    resume: Resume = False,
    gpus: Gpus = None,
    json: Json = None,
) -> None:
    """Label images, with calibrated probabilities. Exit code 1 where some of what was named cannot be used."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.images.boxes import BoxReading

    sitting = Sitting(engine, address, resume, gpus)
    in_parts = sitting.check(output)
    check_outputs(None if in_parts else output, json, keep=(memory, *images, vocabulary, label_config, parents))
    form = task_form(format, label_config, root)
    check_target(output, json, tasks=form is not None, in_parts=in_parts)
    promises_of = asked_promises((coverage, by_class, randomized), (hierarchy, parents, error_rate))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    words = read_vocabulary(vocabulary)
    classifier = FewShotClassifier.load(memory, encoder=encoder, vocabulary=words, device=device, cache=not no_cache)
    sources, unusable = open_sources(images, identity=classifier.fitted.samples.identity, boxes=boxes)
    fewer_views = _of_fewer_views(classifier, sources)
    tally = Tally(promises_of(classifier), classifier.fitted, fewer_views=fewer_views)
    if in_parts:
        rows: dict[str, Any] = {"top": top, "names": names, "vocabulary": vocabulary and str(vocabulary)}
        rows |= {"coverage": coverage, "by_class": by_class, "randomized": randomized}
        rows |= {"hierarchy": hierarchy, "parents": parents and str(parents), "error_rate": error_rate}
        job: dict[str, Any] = {"encoder": encoder, "device": device, "vocabulary": words, "promises_of": promises_of}
        job["promised"] = tuple(tally.columns)
        predict_in_parts(memory, _only_images(sources, observe=observe), rows, job, (str(output), sitting, json))
        return
    observer = _observer(memory, classifier, min_images) if observe else None
    table = _Table(output, raw_csv, form, json, top, names)
    _judge_in_one_go(classifier, (sources, unusable), tally, table, observer)


class _Table(NamedTuple):
    """What is written, and where to."""

    output: str | None
    raw: bool
    tasks: TaskForm | None
    json: str | None
    top: int
    names: int


def _judge_in_one_go(
    classifier: FewShotClassifier,
    opened: tuple[Sequence[Found | Precomputed], Sequence[SkippedImage]],
    tally: Tally,
    table: _Table,
    observer: Observer | None,
) -> None:
    """Write one file, or show a table."""
    sources, unusable = opened
    classes = classifier.fitted.classes
    shape: dict[str, Any] = {"boxes": _have_boxes(sources), "promised": tally.columns}
    columns = verdict_columns(top=min(table.top, len(classes)), names=table.names, **shape)
    if table.tasks is not None:
        table.tasks.check(sources)
    observed = None
    with board() as where:
        classifier.naming = counting(where, "Vocabulary", unit="names")
        with open_writer(table.output, columns=columns, raw=table.raw, tasks=table.tasks, classes=classes) as write:
            options = {"top": table.top, "names": table.names, "promises": tally.promises}
            verdicts = _verdicts(classifier, sources, observer, counting(where, "Predicting"), options)
            told = _written(tally.counted(verdicts), write, keep_all=table.json is not None)
            skipped = [*unusable, *told.skipped]
            _tell_left_out(told, skipped, sources)
        if observer is not None:
            observed = explored_payload(observer.proposed())
    show(
        _summary(told, tally, skipped, observed),
        json=table.json,
        table=_print if table.output is None else lambda _: _tell_written(str(table.output), told.n),
    )
    _tell_promised(classifier, tally)
    if observed:
        print_explored(observed)
    if unusable or any_lost(sources, told.skipped):
        raise typer.Exit(PARTLY_DONE)


def _of_fewer_views(classifier: FewShotClassifier, sources: Sequence[Found | Precomputed]) -> bool:
    """Whether a source is of fewer views than what the classes were learned from."""
    from inkling.images.sources import Found

    fitted = classifier.fitted
    return any(fitted.of_fewer_views(None if isinstance(one, Found) else one.views) for one in sources)


def _only_images(sources: Sequence[Found | Precomputed], *, observe: bool) -> list[ImageRecord]:
    """The images of sources that are judged in parts, each once.

    Raises
    ------
    InputError
        If there are vectors among them, or they are to be kept in the memory.
    """
    from inkling.images.sources import Found

    images = [source for source in sources if isinstance(source, Found)]
    if observe or len(images) < len(sources):
        what = "--observe keeps images in the memory" if observe else "Files of embeddings are judged in one sitting"
        raise InputError(f"{what}, and parts are written beside it.", remedy="Name a file: --output OUT.parquet.")
    return list({record.path: record for source in images for record in source.records}.values())


def _tell_promised(classifier: FewShotClassifier, tally: Tally) -> None:
    """Say what the probabilities rest on where nothing measured them, and what came of what was asked for."""
    if basis := unmeasured(classifier.fitted.fitted_head.calibration):
        note(f"Calibration: {basis}.")
    tell_promises(tally)


def _tell_left_out(told: _Told, skipped: Sequence[SkippedImage], sources: Sequence[Found | Precomputed]) -> None:
    """Say which images have no verdict; refuse to go on where none has."""
    from inkling.images.sources import Found

    tell_skipped(skipped, sum((Counter(one.ignored) for one in sources if isinstance(one, Found)), Counter[str]()))
    if not told.n:
        raise InputError("None of the images can be read.", remedy="Nothing was written.")


def _summary(
    told: _Told, tally: Tally, skipped: Sequence[SkippedImage], observed: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "n": told.n,
        "predictions": [verdict_payload(one) for one in told.kept],
        "skipped": skipped_payload(skipped),
        **tally.to_json(),
        **({"observed": observed} if observed else {}),
    }


def _have_boxes(sources: Sequence[Found | Precomputed]) -> bool:
    from inkling.images.boxes import parsed
    from inkling.images.sources import Found

    return any(
        any(record.box is not None for record in source.records)
        if isinstance(source, Found)
        else any(map(parsed, source.paths))
        for source in sources
    )


class _Told(NamedTuple):
    """How many images have verdicts, those that are shown, and the images without."""

    n: int
    kept: list[Verdict]
    skipped: list[SkippedImage]


def _written(verdicts: Iterable[Verdict | SkippedImage], write: Write, *, keep_all: bool) -> _Told:
    """Write verdicts as they come; keep all of them, or as many as a table shows."""
    from inkling.types import SkippedImage

    n = 0
    kept: list[Verdict] = []
    skipped: list[SkippedImage] = []
    for one in verdicts:
        if isinstance(one, SkippedImage):
            skipped.append(one)
            continue
        n += 1
        write(one)
        if keep_all or len(kept) < SHOWN:
            kept.append(one)
    return _Told(n, kept, skipped)


def _observer(memory: str, classifier: FewShotClassifier, min_images: int) -> Observer:
    from inkling.review.observe import Observer

    return Observer(memory, classifier, min_images=min_images)


def _verdicts(
    classifier: FewShotClassifier,
    sources: Sequence[Found | Precomputed],
    observer: Observer | None,
    progress: Progress,
    options: Mapping[str, Any],
) -> Iterator[Verdict | SkippedImage]:
    """Verdicts on sources in their order; neighbouring ones with images go through the encoder in one run."""
    from inkling.embeddings.samples import precomputed_samples
    from inkling.images.sources import Found

    for _, neighbours in groupby(sources, key=type):
        records: list[ImageRecord] = []
        for source in neighbours:
            if isinstance(source, Found):
                records += source.records
            else:
                samples = precomputed_samples(source)
                if observer is not None:
                    observer.take(samples)
                yield from classifier.judge(samples, **options)
                yield from samples.skipped
        if records:
            seen = None if observer is None else observer.take
            yield from classifier.verdicts(records, progress=progress, observe=seen, **options)


def _print(summary: Mapping[str, Any]) -> None:
    shown = summary["predictions"][:SHOWN]
    columns = ["path", "label", "probability", "next"]
    rows = [[one["path"], _label(one), f"{one['probability']:.1%}", _next_best(one)] for one in shown]
    if any("set" in one for one in shown):
        columns.append("set")
        rows = [[*row, ", ".join(one["set"]) or "empty"] for row, one in zip(rows, shown, strict=True)]
    if any("answer" in one for one in shown):
        columns.append("answer")
        rows = [[*row, _answered(one["answer"])] for row, one in zip(rows, shown, strict=True)]
    if any(one["names"] for one in shown):
        columns.append("may be")
        rows = [[*row, ", ".join(one["names"][:LIKELIEST])] for row, one in zip(rows, shown, strict=True)]
    print_table(columns, rows, numbers=(2,), whole=(0,))
    if summary["n"] > len(shown):
        note(f"... and {summary['n'] - len(shown)} more; --output writes all.")


def _label(one: Mapping[str, Any]) -> str:
    return f"unknown ({one['label']}?)" if one["unknown"] else str(one["label"])


def _answered(answer: Mapping[str, Any]) -> str:
    return "none" if answer["name"] is None else f"{answer['name']} {answer['probability']:.1%}"


def _next_best(one: Mapping[str, Any]) -> str:
    ranked = zip(one["top_labels"], one["top_probabilities"], strict=True)
    return ", ".join(f"{label} {p:.1%}" for label, p in list(ranked)[1:3])


def _tell_written(output: str, n_rows: int) -> None:
    if output != "-":
        note(f"Wrote {n_rows} rows to {output}.")
