"""What the user names, opened: images, or a file of their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import listed, note
from inkling.errors import InklingError, InputError

if TYPE_CHECKING:
    from inkling.embeddings.parts import VectorParts
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.boxes import BoxReading
    from inkling.images.grouping import Grouping
    from inkling.images.sources import Found
    from inkling.types import EncoderIdentity, SkippedImage


def open_source(name: str, *, split: str | None = None, boxes: BoxReading | None = None) -> Found | Precomputed:
    """Vectors where the name is that of a file of embeddings, else the images that it stands for.

    Raises
    ------
    InputError
        If there are none.
    """
    from inkling.embeddings.precomputed import read_precomputed
    from inkling.embeddings.samples import is_precomputed
    from inkling.images.sources import find_images

    return read_precomputed(name) if is_precomputed(name) else find_images(name, split=split, boxes=boxes)


def open_sources(
    names: Sequence[str], *, identity: EncoderIdentity, boxes: BoxReading | None = None
) -> tuple[list[Found | Precomputed], list[SkippedImage]]:
    """What several names stand for, and those that can't be used, with the reason.

    Parameters
    ----------
    identity
        Of the encoder that vectors must come from.
    boxes
        How boxes are read.

    Raises
    ------
    InklingError
        If none can be used.
    """
    from inkling.types import SkippedImage

    opened: list[Found | Precomputed] = []
    refused: list[tuple[str, InklingError]] = []
    for name in names:
        try:
            opened.append(_of_encoder(open_source(name, boxes=boxes), identity))
        except InklingError as error:
            refused.append((name, error))
    if len(names) == 1 and refused:
        raise refused[0][1]
    if not opened:
        raise InputError(
            f"None of the {len(names)} arguments can be used; the first: {refused[0][1].message}",
            remedy=refused[0][1].remedy,
        )
    return opened, [SkippedImage(name, error.message) for name, error in refused]


def grouped(source: Found, grouping: Grouping | None) -> Found:
    """The images with their groups by --groups-from, which counts more than those of a table.

    Raises
    ------
    InputError
        If no image has one, or the groups are the classes.
    """
    if grouping is None:
        return source
    if any(record.group is not None for record in source.records):
        note("--groups-from says which images come from one source; the column 'group' does not count.")
    return replace(source, records=tuple(grouping(source.records)))


def any_lost(sources: Iterable[Found | Precomputed | VectorParts], skipped: Sequence[SkippedImage]) -> bool:
    """Whether something that the user named can't be used: all images of a source, or one of a table or a list.

    Or a part of a folder of vectors.
    """
    from inkling.embeddings.parts import VectorParts
    from inkling.embeddings.precomputed import Precomputed
    from inkling.images.layout import NOT_UTF8
    from inkling.images.sources import ON_A_DRIVE

    lost = {image.path for image in skipped}

    def is_lost(source: Found | Precomputed | VectorParts) -> bool:
        if isinstance(source, Precomputed):
            return source.parts_lost > 0
        if isinstance(source, VectorParts):
            return any(str(place) in lost for place in source.files.values())
        gone = [record.path in lost for record in source.records]
        if source.one_by_one:
            return any(gone) or bool({NOT_UTF8, ON_A_DRIVE} & source.ignored.keys())
        return all(gone)

    return any(is_lost(source) for source in sources)


def leave_if_lost(source: Found | Precomputed | VectorParts | None, skipped: Sequence[SkippedImage]) -> None:
    """End with the exit code that says so where the work was done, but not with all that the user named.

    Raises
    ------
    typer.Exit
        Where something was lost.
    """
    if source is not None and any_lost([source], skipped):
        raise typer.Exit(PARTLY_DONE)


def left_out(source: Found, classes: Iterable[str]) -> dict[str, Any]:
    """What of a source does not count among these classes: ignored files by kind, and labels that are none of them."""
    labels = {one.label for one in source.records if one.label is not None} | {*source.classes_without_images}
    return {"ignored": dict(source.ignored), "classes_left_out": sorted(labels - {*classes})}


def tell_classes_left_out(names: Sequence[str]) -> None:
    """Classes that the user named and that nothing can be known of."""
    if names:
        note(f"Left out, since none of their images can be used: {listed(names)}.")


def _of_encoder(source: Found | Precomputed, identity: EncoderIdentity) -> Found | Precomputed:
    from inkling.embeddings.precomputed import Precomputed
    from inkling.encoders.identity import check_encoder

    if isinstance(source, Precomputed):
        check_encoder(identity, source.identity)
    return source
