"""inkling prompts: words for classes, tried on labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, note, show
from inkling.cli.options import Json, NoCache, Vocabulary
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.cli.waiting import seconds_waited
from inkling.payloads import prompts_payload

NAME = "prompts"
SHOWN = 10


def run(
    train: Annotated[
        str, typer.Argument(metavar="DIR", help="Labelled images, in any form that fit reads.", show_default=False)
    ],
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="NAME_OR_DIR", help="One with texts.", show_default=False)
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
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Try templates, wider meanings, synonyms and spellings of class names, and keep what gains."""
    from inkling.classifier.vocabularies import read_vocabulary
    from inkling.prompting.file import check_prompts_file, write_prompts
    from inkling.prompting.search import search_prompts
    from inkling.prompts import read_prompts

    check_outputs(output, json, keep=(train, prompts, vocabulary))
    if output is not None:
        check_prompts_file(output)
    own = tuple(read_prompts(prompts).values()) if prompts else ()
    words = read_vocabulary(vocabulary)
    with progress_bar("Embedding") as progress:
        found = search_prompts(
            train, encoder=encoder, prompts=own, vocabulary=words, cache=not no_cache, progress=progress
        )
    if output is not None:
        write_prompts(output, found.prompts)
    told = {"output": None if output is None else str(output), "seconds": seconds_waited()}
    show(prompts_payload(found) | told, json=json, table=_print)


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
        note(f"Use them: inkling fit DIR --prompts {summary['output']} ...")
