"""inkling fit --update: more images for what a memory knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inkling.cli.console import listed, note, show, tell_skipped
from inkling.cli.progress import progress_bar
from inkling.cli.sources import leave_if_lost
from inkling.errors import InputError
from inkling.payloads import event_payload
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.sources import Found
    from inkling.review.new_class import ClassEmbedder
    from inkling.types import SkippedImage


def update_memory(
    memory: str,
    opened: Callable[[], Found | Precomputed],
    embedder: ClassEmbedder,
    *,
    prompts: Path | None,
    views: int | None,
    strict: bool,
    json: str | None,
) -> None:
    """Add images to what a memory knows."""
    from inkling.embeddings.precomputed import Precomputed
    from inkling.memory.holdings import read_holdings
    from inkling.prompts import read_prompts
    from inkling.review.decisions import Decisions

    before = read_holdings(memory)
    source = opened()
    own = tuple(read_prompts(prompts).values()) if prompts else ()
    images = source.of_views(views) if isinstance(source, Precomputed) else source.records
    with progress_bar("Embedding") as progress:
        prepared = embedder.labelled(memory, images, prompts=own, views=views or 1, progress=progress)
    skipped = prepared.samples.skipped if prepared.samples else ()
    tell_or_stop(skipped, strict=strict)
    event = Decisions(memory).update_prepared(prepared)
    if event is None:
        summary = {"memory_version": before.version, "outcome": None}
        show(summary, json=json, table=lambda _: note("All of these images are known already: nothing was changed."))
    else:
        show(event_payload(event), json=json, table=_print_update)
    leave_if_lost(source, skipped)


def tell_or_stop(skipped: Sequence[SkippedImage], *, strict: bool) -> None:
    """Say which images cannot be used; with --strict, stop there."""
    tell_skipped(skipped, {})
    if strict and skipped:
        raise InputError(
            f"{counted(len(skipped), 'image')} cannot be used, and --strict was asked for.",
            remedy="Repair or remove them, or leave --strict out.",
        )


def _print_update(summary: Mapping[str, Any]) -> None:
    outcome = summary["outcome"]
    typer.echo(f"Added {counted(outcome['images'], 'image')} to what was known.")
    if outcome["new_classes"]:
        note(f"New classes: {listed(outcome['new_classes'])}.")
    if outcome["extended"]:
        note(f"More images of: {listed(outcome['extended'])}.")
    if outcome["known_already"]:
        note(f"{counted(outcome['known_already'], 'image')} known already.")
    if elsewhere := outcome["under_another_label"]:
        path, name = elsewhere[0]
        note(f"Under another label than the memory knows, and left there: such as {path}, which is of '{name}'.")
    if outcome["texts"]:
        note(f"Texts: {outcome['texts']}.")
    note(f"Head: {outcome['finding']}.")
    note(f"Version {summary['memory_version']}. 'inkling undo' takes it back.")
