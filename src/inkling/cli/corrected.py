"""A list of corrections applied to a copy of images, or to a memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import check_outputs, note, note_some, say, show, tell_skipped
from inkling.cli.progress import progress_bar
from inkling.cli.tables import print_table
from inkling.payloads import corrected_payload, event_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.images.boxes import BoxReading


def correct(images: str, fixes: Path, output: Path, *, boxes: BoxReading, json: str | None) -> None:
    """Copy images with corrections, and tell what came of it.

    Raises
    ------
    typer.Exit
        Where a row of the list names no image, or a picture could not be copied.
    """
    from inkling.filing.corrections import apply_fixes
    from inkling.images.sources import find_images

    check_outputs(json, keep=(images, fixes))
    ignored = find_images(images, boxes=boxes).ignored
    with progress_bar("Copying") as progress:
        done = apply_fixes(images, fixes, output, boxes=boxes, progress=progress)
    tell_skipped(done.skipped, ignored)
    show(corrected_payload(done), json=json, table=_print)
    if done.gone or done.skipped:
        raise typer.Exit(PARTLY_DONE)


def correct_memory_by(memory: str, fixes: Path, json: str | None) -> None:
    """Apply a list to a memory, and tell what came of it.

    Raises
    ------
    typer.Exit
        Where a row of the list names no image.
    """
    from inkling.review.corrections import correct_memory

    check_outputs(json, keep=(memory, fixes))
    event = correct_memory(memory, fixes)
    if event is None:
        show({"event": None}, json=json, table=lambda _: note("Nothing to correct: all is as the list says."))
        return
    show(event_payload(event), json=json, table=_print_event)
    if event.outcome["gone"]:
        raise typer.Exit(PARTLY_DONE)


def _print_event(summary: Mapping[str, Any]) -> None:
    outcome = summary["outcome"]
    say(f"{counted(outcome['relabelled'], 'image')} with another label, {outcome['dropped']} left out.")
    tell_rows(outcome)
    note(f"Head: {outcome['finding']}.")
    note(f"Version {summary['memory_version']}. 'inkling undo' takes all of it back.")


def tell_rows(summary: Mapping[str, Any]) -> None:
    """Rows that could not be used as they stand, and labels that nobody had before."""
    if gone := summary["gone"]:
        note(f"Not among the images: {counted(len(gone), 'row')} of the list:")
        note_some(gone)
    if summary["moved_from"] is not None:
        note(f"The list names images in {summary['moved_from']}; they were looked for by their paths from there.")
    if new := summary["new_classes"]:
        note(f"New {'class' if len(new) == 1 else 'classes'}: {', '.join(new)}. Is that meant?")
    if emptied := summary["emptied"]:
        note(f"No image is left of: {', '.join(emptied)}. Is that meant?")


def _print(summary: Mapping[str, Any]) -> None:
    print_table(("class", "images"), list(summary["classes"].items()), numbers=(1,), whole=(0,))
    changed = f"{counted(len(summary['relabelled']), 'image')} with another label, {len(summary['dropped'])} left out"
    note(f"Copied {counted(summary['pictures'], 'picture')} to {summary['output']}: {changed}.")
    if summary["described"]:
        note("Labels stand in metadata.csv beside the pictures.")
    tell_rows(summary)
    note(f"'inkling audit --undo {summary['manifest']}' takes it back.")
