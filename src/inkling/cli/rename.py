"""inkling rename: give a class or a proposal another name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import decide
from inkling.cli.options import Json, Memory


def run(
    memory: Memory,
    what: Annotated[
        str,
        typer.Argument(
            metavar="CLASS|ID",
            help="A class, or the number of a proposal; class:3 or proposal:3 where both are there.",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.", show_default=False)],
    json: Json = None,
) -> None:
    """Give a class or a proposal another name."""
    decide(memory, json, lambda about: about.rename(about.named(what), name), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    if "proposal" in outcome:
        return f"Proposal {outcome['proposal']} is now called '{outcome['to']}'."
    return f"The class '{outcome['from']}' is now called '{outcome['class']}'."
