"""A list of corrections applied to a copy of images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import check_outputs, note, show, tell_skipped
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.payloads import corrected_payload
from inkling.wording import counted

SHOWN = 5


def correct(images: str, fixes: Path, output: Path, json: str | None) -> None:
    """Copy images with corrections, and tell what came of it.

    Raises
    ------
    typer.Exit
        Where a row of the list names no image, or a picture could not be copied.
    """
    from inkling.filing.corrections import apply_fixes
    from inkling.images.sources import find_images

    check_outputs(json, keep=(images, fixes))
    ignored = find_images(images).ignored
    with progress_bar("Copying") as progress:
        done = apply_fixes(images, fixes, output, progress=progress)
    tell_skipped(done.skipped, ignored)
    show(corrected_payload(done), json=json, table=_print)
    if done.gone or done.skipped:
        raise typer.Exit(PARTLY_DONE)


def tell_rows(summary: Mapping[str, Any]) -> None:
    """Rows that could not be used as they stand, and labels that nobody had before."""
    if gone := summary["gone"]:
        note(f"Not among the images: {counted(len(gone), 'row')} of the list:")
        for path in gone[:SHOWN]:
            note(f"  {path}")
        if len(gone) > SHOWN:
            note(f"  ... and {len(gone) - SHOWN} more")
    if summary["moved_from"] is not None:
        note(f"The list names images in {summary['moved_from']}; they were looked for by their paths from there.")
    if new := summary["new_classes"]:
        note(f"New {'class' if len(new) == 1 else 'classes'}: {', '.join(new)}. Is that meant?")


def _print(summary: Mapping[str, Any]) -> None:
    print_table(("class", "images"), list(summary["classes"].items()), numbers=(1,), whole=(0,))
    changed = f"{counted(len(summary['relabelled']), 'image')} with another label, {len(summary['dropped'])} left out"
    note(f"Copied {counted(summary['pictures'], 'picture')} to {summary['output']}: {changed}.")
    if summary["described"]:
        note("Labels stand in metadata.csv beside the pictures.")
    tell_rows(summary)
    note(f"'inkling audit --undo {summary['manifest']}' takes it back.")
