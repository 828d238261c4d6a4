"""inkling move: one image to another class or proposal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import decide
from inkling.cli.options import Json, Memory

NOWHERE = "nowhere"


def run(
    memory: Memory,
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="Path of the image, the end of it, or its content hash.", show_default=False
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="CLASS|ID|nowhere",
            help="A class, the number of a proposal, or neither. Where a class is called like a proposal: class:3, "
            "proposal:3.",
            show_default=False,
        ),
    ],
    json: Json = None,
) -> None:
    """Move one image to another class or proposal, or out of both, before and after accepting."""
    decide(memory, json, lambda about: about.move(image, None if to == NOWHERE else about.named(to)), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    left = " and ".join(_place(one) for one in outcome["from"]) or "no class and no proposal"
    to = "no class and no proposal" if outcome["to"] is None else _place(outcome["to"])
    return f"The image {outcome['image']} was in {left}; it is in {to} now."


def _place(place: str | int) -> str:
    return f"proposal {place}" if isinstance(place, int) else f"the class '{place}'"
