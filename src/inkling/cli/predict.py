"""inkling predict: label images with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from inkling.cli.console import is_stdout, note, print_table, progress_bar, require_folder, tell_skipped, write_json
from inkling.cli.options import Device, Json, Memory, MovedEncoder, NoCache
from inkling.cli.verdicts import check_target, open_writer, verdict_row

if TYPE_CHECKING:
    from inkling.classifier import FewShotClassifier
    from inkling.types import SkippedImage, Verdict

NAME = "predict"
SHOWN = 50


def run(
    memory: Memory,
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES_OR_DIR...",
            help="Images, folders, zips, tables, '-', or files of embeddings.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="OUT.csv|OUT.parquet|-", help="Write a row for each image; '-' is CSV."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Classes to name for each image.")] = 5,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Label images, with calibrated probabilities."""
    from inkling.classifier import FewShotClassifier
    from inkling.types import SkippedImage

    require_folder(output)
    require_folder(json)
    check_target(output, json)
    classifier = FewShotClassifier.load(memory, encoder=encoder, device=device, cache=not no_cache)
    shown: list[Verdict] = []
    skipped: list[SkippedImage] = []
    n_judged = 0
    keep_all = json is not None
    with open_writer(output) as write:
        for one in _verdicts(classifier, images, top):
            if isinstance(one, SkippedImage):
                skipped.append(one)
                continue
            n_judged += 1
            write(one)
            if keep_all or len(shown) < SHOWN:
                shown.append(one)
    tell_skipped(skipped)
    if json:
        rows = [verdict_row(one) for one in shown]
        write_json(json, {"predictions": rows, "skipped": [{"path": s.path, "reason": s.reason} for s in skipped]})
    if not is_stdout(json) and output is None:
        _print(shown[:SHOWN], n_judged)
    elif output is not None and not is_stdout(output):
        note(f"Wrote {n_judged} rows to {output}.")


def _verdicts(classifier: FewShotClassifier, images: Sequence[str], top: int) -> Iterator[Verdict | SkippedImage]:
    from inkling.embeddings.precomputed import read_precomputed
    from inkling.embeddings.samples import is_precomputed, precomputed_samples
    from inkling.images.sources import find_images

    vectors = [source for source in images if is_precomputed(source)]
    records = [record for source in images if source not in vectors for record in find_images(source).records]
    for source in vectors:
        yield from classifier.judge(precomputed_samples(read_precomputed(source)), top=top)
    if records:
        with progress_bar("Predicting") as progress:
            yield from classifier.verdicts(records, top=top, progress=progress)


def _print(shown: Sequence[Verdict], n_judged: int) -> None:
    rows = [
        (
            one.path,
            one.label,
            f"{one.probability:.1%}",
            ", ".join(
                f"{label} {p:.1%}" for label, p in zip(one.top_labels[1:3], one.top_probabilities[1:3], strict=True)
            ),
        )
        for one in shown
    ]
    print_table(("path", "label", "probability", "next"), rows, numbers=(2,))
    if n_judged > len(shown):
        note(f"... and {n_judged - len(shown)} more; --output writes all.")
