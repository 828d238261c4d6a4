"""The labelled images of a memory, written as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import note, show, tell_skipped
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.payloads import exported_images_payload
from inkling.wording import counted


def write_images(memory: str, output: Path, layout: str, *, thumbnails: bool, json: str | None) -> None:
    """Write the images, and tell what came of it.

    Raises
    ------
    typer.Exit
        Where some could not be written.
    """
    from inkling.exporting.labelled_images import export_images
    from inkling.images.files import MISSING_FILE

    with progress_bar("Exporting") as progress:
        done = export_images(memory, output, layout=layout, thumbnails=thumbnails, progress=progress)
    tell_skipped(done.skipped, {})
    if not thumbnails and any(one.reason == MISSING_FILE for one in done.skipped):
        note(
            "Pictures that came over HTTP never had a file here. The memory keeps a small one of each image: "
            "--thumbnails writes those."
        )
    show(exported_images_payload(done) | {"format": layout}, json=json, table=_print)
    if done.skipped:
        raise typer.Exit(PARTLY_DONE)


def _print(summary: Mapping[str, Any]) -> None:
    print_table(("class", "images"), list(summary["classes"].items()), numbers=(1,), whole=(0,))
    if missing := summary["without_images"]:
        note(f"Without an image here: {', '.join(missing)}.")
    note(f"Wrote {counted(summary['pictures'], 'picture')}. 'inkling fit {summary['source']}' reads them again.")
    if any(summary["margins"]):
        told = " and ".join(f"{margin:g}" for margin in summary["margins"])
        note(f"The boxes had a margin of {told}, which no table holds: give it to 'inkling fit' by --margin.")
