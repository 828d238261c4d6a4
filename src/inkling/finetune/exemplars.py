"""Images that a memory was trained on, found again so that they can be learnt from and embedded anew."""

from __future__ import annotations

from collections.abc import Sequence

from inkling.classifier.fitted import ships_tuned
from inkling.errors import InputError, UnreadableImageError
from inkling.images.archives import record_of
from inkling.images.decode import read
from inkling.images.files import Files
from inkling.memory.content import MemoryContent
from inkling.prompts import ClassPrompts
from inkling.types import ClassEntry, Exemplar, ImageRecord

SHOWN = 3


def records_with_known(records: Sequence[ImageRecord], exemplars: Sequence[Exemplar]) -> list[ImageRecord]:
    """Labelled images, and after them those exemplars of a memory that are not among them.

    Raises
    ------
    InputError
        If an exemplar is neither where it was nor among the records: its vector could not be made anew.
    """
    with Files() as files:
        given = {_hash(record, files) for record in records}
        others = [one for one in exemplars if one.view == 0 and one.content_hash not in given]
        found = [record_of(one.path, one.class_name) for one in others]
        lost = [one.path for one, record in zip(others, found, strict=True) if _hash(record, files) != one.content_hash]
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        raise InputError(
            f"{len(lost)} of the images that the memory was trained on are not where they were, or have changed: "
            f"{', '.join(lost[:SHOWN])}{more}. A tuned encoder must see them again.",
            remedy="Put them back, give them among the training images, or name a new memory file.",
        )
    return [*records, *found]


def prompts_of(entries: Sequence[ClassEntry]) -> tuple[ClassPrompts, ...]:
    """The prompts of a memory's classes; classes that it knows by images alone are left to the templates."""
    return tuple(ClassPrompts(one.name, one.prompts, one.aliases) for one in entries if one.prompts)


def untuned_source(content: MemoryContent) -> str:
    """Where the encoder of a memory is; where it was tuned on the memory's images, the one that it was tuned from.

    A training that begins with an encoder which knows the images can't hold any out to judge it by.
    """
    tuning = content.training.get("finetuning")
    return str(tuning["from"]["source"]) if tuning and ships_tuned(tuning) else content.encoder.source


def _hash(record: ImageRecord, files: Files) -> str | None:
    try:
        return read(record, files).content_hash
    except UnreadableImageError:
        return None
