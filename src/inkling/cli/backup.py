"""inkling backup: copy a memory while it is in use."""

from __future__ import annotations

from typing import Annotated

import typer

from inkling.cli.console import say
from inkling.cli.options import Memory


def run(
    memory: Memory,
    target: Annotated[str, typer.Argument(metavar="TARGET.ink", help="A new file.", show_default=False)],
) -> None:
    """Copy a memory as it is at this moment, whoever uses it meanwhile."""
    from inkling.memory.backup import backup

    say(f"Version {backup(memory, target)} of {memory} is in {target}.")
