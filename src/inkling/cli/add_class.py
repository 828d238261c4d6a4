"""inkling add-class: add one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inkling.cli.console import tell_skipped
from inkling.cli.decided import ClassName, decide, images
from inkling.cli.options import Confidence, Device, Json, Margin, Memory, MovedEncoder, NoCache, Root
from inkling.cli.progress import progress_bar
from inkling.cli.sources import leave_if_lost, open_source

if TYPE_CHECKING:
    from inkling.memory.events import Event
    from inkling.review.decisions import Decisions


def run(
    memory: Memory,
    name: ClassName,
    source: Annotated[
        str | None,
        typer.Option("--images", metavar="DIR", help="Images of it: folder, zip, table or file of embeddings."),
    ] = None,
    prompts: Annotated[
        list[str] | None, typer.Option("--prompt", help="A text, or a template such as 'a photo of a {}.'.")
    ] = None,
    margin: Margin = 0.0,
    root: Root = None,
    confidence: Confidence = 0.2,
    encoder: MovedEncoder = None,
    device: Device = "auto",
    no_cache: NoCache = False,
    json: Json = None,
) -> None:
    """Add one class, by images, by text, or both; nothing else is embedded."""

    from inkling.images.boxes import BoxReading
    from inkling.images.sources import Found
    from inkling.review.new_class import ClassEmbedder
    from inkling.types import SkippedImage

    boxes = BoxReading(margin=margin, root=root, confidence=confidence)
    found = None if source is None else open_source(source, boxes=boxes)
    tell_skipped((), found.ignored if isinstance(found, Found) else {})

    def add(about: Decisions) -> Event:
        with progress_bar("Embedding") as progress:
            return about.add_class(
                name,
                images=found.records if isinstance(found, Found) else found,
                prompts=prompts or (),
                embedder=ClassEmbedder(encoder, device=device, cache=not no_cache),
                progress=progress,
            )

    event = decide(memory, json, add, _sentence)
    leave_if_lost(found, [SkippedImage(**one) for one in event.outcome["skipped"]])


def _sentence(outcome: Mapping[str, Any]) -> str:
    text = "a text vector" if outcome["has_text"] else "no text vector"
    told = f"The class '{outcome['class']}' is known now: {images(outcome['images'])}, {text}."
    if skipped := outcome["skipped"]:
        told += f" Skipped {images(len(skipped))}, the first: {skipped[0]['path']}: {skipped[0]['reason']}"
    return told
