"""inkling accept: make a proposal a known class."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inkling.cli.decided import Number, decide, decisions, images
from inkling.cli.options import Device, Json, Memory, MovedEncoder, NoCache
from inkling.wording import visible

SHOWN_NAMES = 3


def run(
    memory: Memory,
    number: Number,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the class. Without: the name given by 'rename', else you are asked."),
    ] = None,
    first_name: Annotated[bool, typer.Option("--first-name", help="Take the likeliest name, unasked.")] = False,
    join: Annotated[bool, typer.Option("--join", help="Give its images to the known class of that name.")] = False,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Make a proposal a known class, live at once. Its name is encoded as text; no image is embedded."""
    from inkling.review.new_class import ClassEmbedder

    if name is None and not first_name and sys.stdin.isatty():
        name = _asked(memory, number)
    embed = ClassEmbedder(encoder, device=device, cache=not no_cache)
    decide(
        memory,
        json,
        lambda about: about.accept(number, name, first_name=first_name, join=join),
        _sentence,
        words=lambda class_name: embed.in_words(memory, class_name),
    )


def _asked(memory: str, number: int) -> str | None:
    """The name that a person types; None where one was given to the proposal before, or there is no such one."""
    proposal = next((one for one in decisions(memory).proposals() if one.id == number), None)
    if proposal is None or proposal.name is not None:
        return None
    likely = ", ".join(str(one["name"]) for one in proposal.finding.names[:SHOWN_NAMES])
    question = f"What is proposal {number} ({images(len(proposal.images))}{f'; may be {likely}' if likely else ''})?"
    typer.echo(f"{visible(question)}: ", nl=False, err=True)  # typer's own prompt writes a blank to standard output
    answer = sys.stdin.readline()
    return answer.strip() if answer else None


def _sentence(outcome: Mapping[str, Any]) -> str:
    if outcome["joined"]:
        return f"Proposal {outcome['proposal']} belongs to the class '{outcome['class']}': {images(outcome['images'])}."
    text = "a text vector" if outcome["has_text"] else "no text vector"
    return f"Proposal {outcome['proposal']} is now the class '{outcome['class']}': {images(outcome['images'])}, {text}."
