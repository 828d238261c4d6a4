"""Taking back what verbs have filed, by its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import check_outputs, note, note_some, say, show
from inkling.payloads import undone_payload
from inkling.wording import counted


def take_back(manifest: Path, json: str | None) -> None:
    """Undo what a manifest names, and tell what became of it.

    Raises
    ------
    typer.Exit
        Where something stays.
    """
    from inkling.filing.cabinet import undo

    check_outputs(json, keep=(manifest,))
    undone = undo(manifest)
    show(undone_payload(undone), json=json, table=_print)
    if undone.kept:
        raise typer.Exit(PARTLY_DONE)


def _print(summary: Mapping[str, Any]) -> None:
    say(f"Removed {counted(summary['removed'], 'picture')}.")
    if summary["gone"]:
        note(f"Not there any more: {counted(summary['gone'], 'picture')}.")
    if kept := summary["kept"]:
        note(f"Kept {counted(len(kept), 'picture')}, and the manifest:")
        note_some(f"{one['path']}: {one['reason']}" for one in kept)
