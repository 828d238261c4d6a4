"""inkling accept: make a proposal a known class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import Number, decide, images
from inkling.cli.options import Device, Json, Memory, MovedEncoder, NoCache

NAME = "accept"


def run(
    memory: Memory,
    number: Number,
    name: Annotated[str | None, typer.Option("--name", help="Name of the class. Default: its likeliest.")] = None,
    join: Annotated[bool, typer.Option("--join", help="Give its images to the known class of that name.")] = False,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Make a proposal a known class, live at once. Its name is put into words; no image is embedded."""
    from inkling.review.new_class import Newcomer

    embed = Newcomer(encoder, device=device, cache=not no_cache)
    decide(
        memory,
        json,
        lambda about: about.accept(number, name, join=join),
        _sentence,
        words=lambda class_name: embed.in_words(memory, class_name),
    )


def _sentence(outcome: Mapping[str, Any]) -> str:
    if outcome["joined"]:
        return f"Proposal {outcome['proposal']} belongs to the class '{outcome['class']}': {images(outcome['images'])}."
    text = "a text vector" if outcome["has_text"] else "no text vector"
    return f"Proposal {outcome['proposal']} is now the class '{outcome['class']}': {images(outcome['images'])}, {text}."
