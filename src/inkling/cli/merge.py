"""inkling merge: make one proposal of several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import decide, images
from inkling.cli.options import Json, Memory
from inkling.cli.usage import whole


def run(
    memory: Memory,
    numbers: Annotated[
        list[int], typer.Argument(parser=whole(1), metavar="ID...", help="Numbers of proposals.", show_default=False)
    ],
    json: Json = None,
) -> None:
    """Make one proposal of several; their numbers lead on to it."""
    decide(memory, json, lambda about: about.merge(numbers), _sentence)


def _sentence(outcome: Mapping[str, Any]) -> str:
    merged = " and ".join(map(str, outcome["merged"]))
    return f"Proposals {merged} are now proposal {outcome['proposal']}: {images(outcome['images'])}."
