"""inkling sort: pictures into folders by their class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.filed import take_back
from inkling.cli.options import Confidence, Device, Json, Margin, MovedEncoder, NoCache, Root
from inkling.cli.progress import progress_bar
from inkling.cli.sources import leave_if_lost
from inkling.cli.tables import print_table
from inkling.errors import InputError
from inkling.payloads import sorted_payload
from inkling.wording import counted


def run(
    memory: Annotated[
        str | None,
        typer.Argument(metavar="FILE.ink", help="The memory: a file, or a PostgreSQL URL.", show_default=False),
    ] = None,
    inbox: Annotated[
        str | None,
        typer.Argument(metavar="INBOX", help="Images, in any form that predict reads.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder to make the folders of classes in.", show_default=False),
    ] = None,
    link: Annotated[bool, typer.Option("--link/--copy", help="Make symbolic links, or copies.")] = False,
    undo: Annotated[
        Path | None,
        typer.Option(
            "--undo", metavar="MANIFEST", help="Take back what this manifest names, but for what was changed since."
        ),
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Copy or link pictures into folders by class, and into 'unknown'. Nothing is moved, deleted or written over."""
    from inkling.classifier.few_shot import FewShotClassifier
    from inkling.images.boxes import BoxReading
    from inkling.images.sources import find_images
    from inkling.review.sort import sort_images

    if undo is not None:
        _require_nothing_else(memory, inbox, output)
        take_back(undo, json)
        return
    if memory is None or inbox is None or output is None:
        raise InputError(
            "A memory, images and an output folder are needed.",
            remedy="Write 'inkling sort FILE.ink INBOX --output DIR', or 'inkling sort --undo MANIFEST'.",
        )
    check_outputs(json, keep=(memory, inbox))
    found = find_images(inbox, boxes=BoxReading(margin=margin, root=root, confidence=confidence))
    classifier = FewShotClassifier.load(memory, encoder=encoder, device=device, cache=not no_cache)
    with progress_bar("Sorting") as progress:
        done = sort_images(classifier, found, output, link=link, progress=progress)
    tell_skipped(done.skipped, found.ignored)
    show(sorted_payload(done) | {"output": str(output)}, json=json, table=_print)
    leave_if_lost(found, done.skipped)


def _require_nothing_else(*given: object) -> None:
    if any(one is not None for one in given):
        raise InputError(
            "--undo takes a manifest alone.", remedy="Write 'inkling sort --undo DIR/inkling-sort-1.jsonl'."
        )


def _print(summary: Mapping[str, Any]) -> None:
    print_table(("folder", "pictures"), sorted(summary["folders"].items()), numbers=(1,))
    if summary["there_already"]:
        note(f"There already: {counted(summary['there_already'], 'picture')}.")
    if summary["manifest"] is not None:
        note(f"'inkling sort --undo {summary['manifest']}' takes it back.")
