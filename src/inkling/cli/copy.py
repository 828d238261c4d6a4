"""inkling copy: take a memory to another place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from inkling.cli.console import check_outputs, say, show
from inkling.cli.options import Json, Memory
from inkling.redaction import redacted
from inkling.wording import counted


def run(
    memory: Memory,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A new file, or the URL of an empty database.", show_default=False)
    ],
    json: Json = None,
) -> None:
    """Copy a memory to a new file or into a PostgreSQL database: classes, head, pool, log and all that undo needs."""
    from inkling.memory.backup import copy_memory

    check_outputs(json, keep=(memory, target))
    copied = copy_memory(memory, target)
    show({"memory": redacted(memory), "target": redacted(target), **asdict(copied)}, json=json, table=_print)


def _print(summary: Mapping[str, Any]) -> None:
    say(
        f"Version {summary['version']} of {summary['memory']} is in {summary['target']}: "
        f"{counted(summary['rows'], 'row')}, digest {summary['digest']} as there."
    )
