"""inkling export: write a classifier as a folder that answers without Inkling, or check such a folder again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import check_outputs, note, say, show, tell_skipped
from inkling.cli.exported_images import write_images
from inkling.cli.options import Confidence, Json, Margin, NoCache, Root
from inkling.cli.progress import Board, board, counting
from inkling.cli.tables import print_table
from inkling.cli.usage import fraction
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError, require
from inkling.payloads import export_payload, verified_payload
from inkling.wording import counted, quoted

if TYPE_CHECKING:
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.exporting.job import ExportOptions, Report
    from inkling.images.boxes import BoxReading

SHOWN = 3
FLOAT32, MAX_LOSS, CONFIDENCE = "float32", 1.0, 0.2
"""What is taken where nothing is said."""


def run(
    memory: Annotated[
        str | None,
        typer.Argument(metavar="FILE.ink", help="The memory: a file, or a PostgreSQL URL.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="The folder to write.", show_default=False)
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="onnx|web|head|folders|csv|imagefolder",
            help="onnx: the whole classifier with a program that runs it; web: the same with a page that runs it in "
            "the browser; head: its linear head alone. Default: onnx, with --zero-shot head. The labelled images "
            "instead: folders of classes; csv: a table with boxes; imagefolder: as Hugging Face reads it.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help="Arithmetic of the image tower: float32, float16 or int8.")] = FLOAT32,
    license: Annotated[
        str | None,
        typer.Option("--license", metavar="TEXT", help="Licence of the export.", show_default=False),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            "--check",
            metavar="DIR",
            help="Pictures to compare answers on, in any form that fit reads. Default: the memory's own.",
            show_default=False,
        ),
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = CONFIDENCE,
    max_loss: Annotated[
        float,
        typer.Option(
            "--max-loss", parser=fraction, metavar="POINTS", help="What float16 and int8 may lose on these pictures."
        ),
    ] = MAX_LOSS,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older export.")] = False,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify",
            metavar="DIR",
            help="Check an export instead: its files, its answers and, with a memory, whether that has moved on.",
            show_default=False,
        ),
    ] = None,
    zero_shot: Annotated[
        str | None,
        typer.Option(
            "--zero-shot",
            metavar="NAME,NAME",
            help="Export the text vectors of these classes as a linear head, without a memory.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="Where the memory's encoder is now, if it moved; with --zero-shot the encoder.",
            show_default=False,
        ),
    ] = None,
    templates: Annotated[
        str | None,
        typer.Option(help="With --zero-shot: default, simple, imagenet, or a template such as 'a photo of a {}.'."),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="With --zero-shot: YAML or CSV with prompts of classes.", show_default=False)
    ] = None,
    thumbnails: Annotated[
        bool,
        typer.Option("--thumbnails", help="Of labelled images, write the small pictures that the memory keeps."),
    ] = False,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Write a classifier as a folder that answers as it does, without Inkling; or the images that it learned from."""
    from inkling.images.boxes import BoxReading

    check_outputs(json, keep=(memory, prompts))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    if verify is not None:
        _refuse(("--output", output), ("--zero-shot", zero_shot), ("--format", format), beside="--verify")
        _verify(verify, memory, encoder=encoder, check=check, boxes=boxes, cache=not no_cache, json=json)
        return
    if output is None:
        raise InputError("--output DIR is missing: the folder to write.", remedy="Such as --output classifier.")
    if zero_shot is None:
        _refuse(("--templates", templates), ("--prompts", prompts), beside="a memory")
    if format is not None and _is_of_images(format):
        unlike: dict[str, object] = {"--precision": precision != FLOAT32, "--overwrite": overwrite, "--margin": margin}
        unlike |= {"--max-loss": max_loss != MAX_LOSS, "--license": license, "--check": check, "--encoder": encoder}
        unlike |= {"--root": root, "--confidence": confidence != CONFIDENCE, "--zero-shot": zero_shot}
        _refuse(*((name, given or None) for name, given in unlike.items()), beside=f"--format {format}")
        write_images(memory or _missing(), output, format, thumbnails=thumbnails, json=json)
        return
    _refuse(("--thumbnails", thumbnails or None), beside="an export of the classifier")
    require("onnx", extra="export", purpose="Exporting")
    from inkling.exporting.job import ExportOptions

    options = ExportOptions(
        format=format or ("onnx" if zero_shot is None else "head"),
        precision=precision,
        license=license,
        check=check,
        boxes=boxes,
        max_loss=max_loss,
        overwrite=overwrite,
        encoder=encoder,
        cache=not no_cache,
    )
    _export(_source(memory, zero_shot, templates, prompts, options), output, options, json=json)


def _is_of_images(format: str) -> bool:
    """Whether a format is one of labelled images, not of a classifier.

    Raises
    ------
    InputError
        If there is no such format.
    """
    from inkling.exporting.formats import FORMATS
    from inkling.exporting.labelled_images import LAYOUTS

    if format not in (*FORMATS, *LAYOUTS):
        raise InputError(
            f"There is no format {quoted(format)}.", remedy=f"Use one of {', '.join((*FORMATS, *LAYOUTS))}."
        )
    return format in LAYOUTS


def _source(
    memory: str | None, zero_shot: str | None, templates: str | None, prompts: Path | None, options: ExportOptions
) -> str | FewShotClassifier:
    """What is to be exported: a memory, or a classifier by texts alone."""
    if zero_shot is None:
        return memory or _missing()
    _refuse(("a memory", memory), beside="--zero-shot")
    from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
    from inkling.exporting.texts_alone import zero_shot_classifier
    from inkling.prompts import read_prompts

    return zero_shot_classifier(
        [name.strip() for name in zero_shot.split(",") if name.strip()],
        options.encoder or DEFAULT_FOR_PHOTOGRAPHS,
        templates=templates,
        prompts=tuple(read_prompts(prompts).values()) if prompts else (),
        cache=options.cache,
    )


def _missing() -> NoReturn:
    raise InputError(
        "There is nothing to export: no memory is named.",
        remedy="Name a memory, or classes: --zero-shot bus,car,boat --encoder NAME_OR_DIR.",
    )


def _export(source: str | FewShotClassifier, output: Path, options: ExportOptions, *, json: str | None) -> None:
    from inkling.exporting.export import export_with
    from inkling.types import SkippedImage

    with board() as where:
        done = export_with(source, output, options, report=_reporting(where))
    payload = export_payload(done)
    tell_skipped([SkippedImage(**one) for one in payload["skipped"]], {})
    show(payload | {"seconds": seconds_waited()}, json=json, table=_print)


def _verify(
    folder: Path,
    memory: str | None,
    *,
    encoder: str | None,
    check: str | None,
    boxes: BoxReading,
    cache: bool,
    json: str | None,
) -> None:
    """Check an export; the exit code tells whether it is sound, and whether its memory has moved on."""
    from inkling.exporting.verify import verify_export

    with board() as where:
        found = verify_export(
            folder, memory, check=check, boxes=boxes, encoder=encoder, cache=cache, report=_reporting(where)
        )
    show(verified_payload(found), json=json, table=_print_verified)
    if found.damage:
        raise InputError(
            f"'{folder}' can't be relied on: {'; '.join(found.damage[:SHOWN])}.",
            remedy="Export the memory again, with --overwrite.",
        )
    if found.moved_on:
        raise typer.Exit(PARTLY_DONE)


def _reporting(where: Board) -> Report:
    """Progress of an export's tasks on a board."""

    def tell(task: str, done: int, total: int) -> None:
        counting(where, task)(done, total)

    return tell


def _refuse(*given: tuple[str, object], beside: str) -> None:
    """Refuse options that would have no effect."""
    for name, value in given:
        if value is not None:
            raise InputError(f"{name} has no effect beside {beside}.", remedy="Leave one of the two out.")


def _print(summary: Mapping[str, Any]) -> None:
    parity, files = summary["parity"], summary["files"]
    pictures = "vectors" if summary["format"] == "head" else "pictures"
    rows = [
        ("classes", len(summary["labels"])),
        ("encoder", summary["encoder"]["name"]),
        ("format", f"{summary['format']}, {summary['precision']}"),
        ("checked", f"{parity['pictures']} {pictures}, {parity['labels_equal']} labels equal"),
        ("probabilities", f"differ by up to {parity['probability_difference']:.1g}"),
    ]
    if parity["unknown_equal"] is not None:
        told = f"{parity['unknown_equal']} decisions equal, p-values differ by up to {parity['p_value_difference']:.1g}"
        rows.append(("unknown", told))
    if summary["precision"] != "float32":
        rows += [(f"{what} lost", _points(parity[key])) for what, key in _LOSSES if parity[key] is not None]
    rows.append(("folder", f"{summary['folder']}, {sum(files.values()) / 1e6:.1f} MB in {len(files)} files"))
    rows.append(("time", f"{summary['seconds']:.1f} s"))
    print_table(("", "exported"), rows)
    if parity["near_ties"]:
        shown = ", ".join(parity["near_ties"][:SHOWN])
        note(f"Within {parity['tie']:.0e} of a tie, where rounding may decide: {len(parity['near_ties'])}, as {shown}.")
    if examples := summary["examples"]:
        note(f"Of the checked pictures, {examples} {'is' if examples == 1 else 'are'} in {summary['folder']}/example.")


_LOSSES = (("top-1", "top1_loss"), ("unknown", "unknown_loss"))


def _points(loss: Mapping[str, float]) -> str:
    share, low, high = (100 * loss[key] for key in ("share", "low", "high"))
    return f"{share:.2f} points ({low:.2f} to {high:.2f})"


def _print_verified(summary: Mapping[str, Any]) -> None:
    if summary["damage"]:
        return
    if summary["moved_on"]:
        say(f"{summary['folder']} is sound, but the memory has moved on: {'; '.join(summary['moved_on'])}.")
    elif summary["parity"]:
        pictures = counted(summary["parity"]["pictures"], "picture")
        say(f"{summary['folder']} is sound and answers as the memory does, on {pictures}.")
    else:
        say(f"{summary['folder']} is sound: its files and answers are those that it was written with.")
