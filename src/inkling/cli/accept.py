"""inkling accept: make a proposal a known class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import Number, decide, images
from inkling.cli.options import Json, Memory

NAME = "accept"


def run(
    memory: Memory,
    number: Number,
    name: Annotated[str | None, typer.Option("--name", help="Name of the class. Default: its likeliest.")] = None,
    join: Annotated[bool, typer.Option("--join", help="Give its images to the known class of that name.")] = False,
    json: Json = None,
) -> None:
    """Make a proposal a known class, live at once."""
    decide(memory, json, lambda about: about.accept(number, name, join=join), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    verb = "belongs to" if outcome["joined"] else "is now"
    return f"Proposal {outcome['proposal']} {verb} the class '{outcome['class']}': {images(outcome['images'])}."
