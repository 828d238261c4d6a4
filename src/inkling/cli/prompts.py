"""inkling prompts: words for classes, tried on labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.options import Confidence, Json, Margin, NoCache, Root, Vocabulary
from inkling.cli.progress import progress_bar
from inkling.cli.sources import leave_if_lost
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.errors import InputError
from inkling.payloads import prompts_payload

SHOWN = 10


def run(
    train: Annotated[
        str, typer.Argument(metavar="DIR", help="Labelled images, in any form that fit reads.", show_default=False)
    ],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            metavar="NAME_OR_DIR",
            help="One that reads texts, such as 'pocket'; see 'inkling encoders'.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="OUT.yaml", help="The file to write, for fit --prompts.", show_default=False),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML or CSV with words to begin with.", show_default=False),
    ] = None,
    vocabulary: Vocabulary = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Try templates, wider meanings, synonyms and spellings of class names, and keep what gains."""
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.images.boxes import BoxReading
    from inkling.images.sources import find_images
    from inkling.prompting.file import check_prompts_file, write_prompts
    from inkling.prompting.search import search_prompts
    from inkling.prompts import read_prompts

    check_outputs(output, json, keep=(train, prompts, vocabulary))
    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    if output is not None:
        check_prompts_file(output)
    own = tuple(read_prompts(prompts).values()) if prompts else ()
    words = read_vocabulary(vocabulary)
    _require_pictures(train)
    source = find_images(train, split="train", boxes=boxes)
    with progress_bar("Embedding") as progress:
        found = search_prompts(
            source, encoder=encoder, prompts=own, vocabulary=words, cache=not no_cache, progress=progress
        )
    tell_skipped(found.skipped, source.ignored)
    if output is not None:
        write_prompts(output, found.prompts)
    told = {"output": None if output is None else str(output), "seconds": seconds_waited()}
    show(prompts_payload(found) | told, json=json, table=_print)
    leave_if_lost(source, found.skipped)


def _require_pictures(train: str) -> None:
    from inkling.embeddings.samples import is_precomputed

    if is_precomputed(train):
        raise InputError(
            f"Words are tried on the images themselves; '{train}' is a file of their vectors.",
            remedy="Name the folder, zip or table of the images.",
        )


def _print(summary: Mapping[str, Any]) -> None:
    low, high = summary["difference"]
    rows = [
        ("images", summary["images"]),
        ("as given", f"{summary['top1_given']:.1%} top-1 by texts alone"),
        ("found", f"{summary['top1_found']:.1%}, each image in words chosen without it"),
        ("difference", f"{low:+.1%} to {high:+.1%} (95% interval)"),
    ]
    print_table(("", "words"), rows)
    if summary["gains"]:
        note(f"Templates: {summary['templates']}.")
        for name, what in summary["changes"].items():
            note(f"{name}: {what}.")
    else:
        note("No difference beyond chance: the words stay as they were given.")
    if confusions := summary["confusions"][:SHOWN]:
        print_table(
            ("class", "called instead", "share"),
            [(one["class"], one["instead"], f"{one['share']:.0%}") for one in confusions],
            numbers=(2,),
        )
    if summary["output"] is not None:
        use = "Use them" if summary["gains"] else f"{summary['output']} has them; to use or change them"
        note(f"{use}: inkling fit DIR --prompts {summary['output']} ...")
