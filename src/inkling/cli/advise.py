"""inkling advise: whether more images would help, of which classes, and which to label next."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.options import Confidence, Device, Json, Margin, Memory, MovedEncoder, NoCache, Root, Seed
from inkling.cli.progress import progress_bar
from inkling.cli.sources import leave_if_lost, open_source
from inkling.cli.tables import print_table
from inkling.cli.usage import whole
from inkling.cli.verdicts import cell
from inkling.errors import InputError
from inkling.outputs import appearing_whole
from inkling.payloads import BOX_COLUMNS, advice_payload, flat_box
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import Samples
    from inkling.images.sources import Found

SHOWN_CLASSES = 8
SHOWN_IMAGES = 10
COLUMNS = ("rank", "path", "reason", "label", "probability", "second", "margin")


def run(
    memory: Memory,
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="DIR", help="Unlabelled images to choose from, in any form that predict reads."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="ORDER.csv", help="Write what to label next, first things first."),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", parser=whole(1), metavar="N", help="Images to choose. Default: up to 500.")
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    seed: Seed = 0,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Say whether more images would help, of which classes, and which to label next."""
    from inkling.advising.advice import advise
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.images.boxes import BoxReading

    _check_options(pool, output, n)
    check_outputs(output, json, keep=(memory, pool))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    classifier = FewShotClassifier.load(memory, encoder=encoder, device=device, cache=not no_cache)
    source = None if pool is None else open_source(pool, boxes=boxes)
    samples = None if source is None else _samples(classifier, source)
    advice = advise(classifier, samples, n=n, seed=seed)
    summary = advice_payload(advice)
    if output is not None:
        _write(output, summary["order"])
    show(summary, json=json, table=_print)
    if output is not None:
        note(f"Wrote {counted(len(summary['order']), 'row')} to {output}.")
    leave_if_lost(source, advice.skipped)


def _check_options(pool: str | None, output: Path | None, n: int | None) -> None:
    if pool is None and (output is not None or n is not None):
        given = "--output" if output is not None else "--n"
        raise InputError(
            f"{given} is about the images to label next, and there is no pool to choose them from.",
            remedy=f"Name one with --pool, or leave {given} out.",
        )
    if output is not None and output.suffix.lower() != ".csv":
        raise InputError(f"'{output}' is no .csv.", remedy="Name ORDER.csv.")


def _samples(classifier: FewShotClassifier, source: Found | Precomputed) -> Samples:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.embeddings.samples import precomputed_samples

    if isinstance(source, Precomputed):
        tell_skipped(source.skipped, {})
        return precomputed_samples(source)
    with progress_bar("Embedding") as progress:
        samples = classifier.embed(source.records, progress=progress)
    tell_skipped(samples.skipped, source.ignored)
    return samples


def _write(output: Path, order: Sequence[Mapping[str, Any]]) -> None:
    with appearing_whole(output) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        columns = (*COLUMNS, *(BOX_COLUMNS if any("box" in one for one in order) else ()))
        rows = csv.DictWriter(file, columns, lineterminator="\n")
        rows.writeheader()
        for one in order:
            told = {name: one[name] for name in COLUMNS} | flat_box(one["path"])
            rows.writerow({name: cell(value, raw=False) for name, value in told.items()})


def _print(summary: Mapping[str, Any]) -> None:
    if summary["expected"]:
        rows = [_expected_row(one) for one in summary["expected"]]
        print_table(("images", "a class", "top-1", "80 % interval"), rows, numbers=(0, 1, 2))
    else:
        note("No class has two images, so none can be left out: nothing can be said about more images.")
    needs = summary["classes"]
    rows = [(one["name"], one["images"], *_recall(one)) for one in needs[:SHOWN_CLASSES]]
    print_table(("needs images most", "has", "recall", "80 % interval"), rows, numbers=(1, 2), whole=(0,))
    if len(needs) > SHOWN_CLASSES:
        note(f"... and {len(needs) - SHOWN_CLASSES} more classes; --json has all.")
    tuning = summary["fine_tuning"]
    note(
        f"Fine-tuning: {'worth a try' if tuning['worth_it'] else 'not now'}. {tuning['why']} It takes about "
        f"{tuning['cpu_hours']:.1f} h on two cores with a ViT-B/32, much less on a graphics card."
    )
    if summary["order"] is not None:
        _print_order(summary)


def _print_order(summary: Mapping[str, Any]) -> None:
    order = summary["order"]
    rows = [(one["rank"], one["path"], one["reason"]) for one in order[:SHOWN_IMAGES]]
    print_table(("", "label next", "why"), rows, numbers=(0,), whole=(1,))
    if len(order) > SHOWN_IMAGES:
        note(f"... and {len(order) - SHOWN_IMAGES} more; --output writes all.")
    if repeated := summary["repeated"]:
        note(
            f"Left out: {counted(len(repeated), 'image')} of the pool that the memory was trained on, such as "
            f"{repeated[0]}."
        )


def _expected_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = one["interval80"]
    times = "as now" if one["times"] == 1 else f"{one['times']:g} times"
    return times, f"{one['shots']:.1f}", f"{one['top1']:.1%}", f"{low:.1%} to {high:.1%}"


def _recall(one: Mapping[str, Any]) -> tuple[str, str]:
    if one["recall"] is None:
        return "", "too few images to tell"
    return f"{one['recall']:.1%}", f"{one['low']:.1%} to {one['high']:.1%}"
