"""Image records to training data: read, decoded and prepared once. Imports torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.groups import Groups
from inkling.embeddings.samples import source_numbers
from inkling.encoders.preprocessing import Preprocessing
from inkling.encoders.transformers.model_folder import ModelFolder
from inkling.errors import InputError, UnreadableImageError
from inkling.finetune.training.data import TrainingData
from inkling.finetune.training.pixels import Pixels
from inkling.finetune.training.texts import ClassTexts
from inkling.images.decode import load
from inkling.labels import Kind
from inkling.prompts import ClassPrompts
from inkling.types import ImageRecord, SkippedImage

MARGIN = 1.25
"""Side of the images that augmentation crops from, by the side that the model reads."""


@dataclass(frozen=True, eq=False)
class PreparedData:
    """Training data, and what came of the records.

    Attributes
    ----------
    data
        Images that can be learnt from.
    records, content_hashes
        One for each of them.
    label_kind
        What their labels are of.
    skipped
        The others, and why.
    """

    data: TrainingData
    records: tuple[ImageRecord, ...]
    content_hashes: tuple[str, ...]
    label_kind: Kind
    skipped: tuple[SkippedImage, ...]


@dataclass(frozen=True, eq=False)
class _Ready:
    record: ImageRecord
    content_hash: str
    levels: NDArray[np.uint8]
    wide: NDArray[np.uint8] | None


def prepare(
    records: Sequence[ImageRecord],
    folder: ModelFolder,
    *,
    prompts: Sequence[ClassPrompts] = (),
    templates: Sequence[str],
    augments: bool,
    label_kind: Kind = Kind.TEXT,
) -> PreparedData:
    """Read, decode and prepare labelled images. Of equal images the first counts, so that none judges its copy.

    Parameters
    ----------
    prompts
        Own words for some classes; one without images is known by its text alone, and learnt beside the others.
    templates
        Prompts of the others.
    augments
        Whether images are also kept with a margin.
    label_kind
        What the labels are of, which orders the classes.

    Raises
    ------
    InputError
        If no image is left.
    """
    preprocessing = folder.preprocessing
    wide = widened(preprocessing) if augments else None
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        outcomes = list(threads.map(lambda record: _read(record, preprocessing, wide), records))
    ready, skipped = _without_copies(outcomes)
    if not ready:
        reasons = "; ".join(dict.fromkeys(image.reason for image in skipped)) or "the source is empty"
        raise InputError(
            f"There are no labelled images to learn from ({reasons}).",
            remedy="Give a folder with one subfolder a class, or a table with columns 'path' and 'label'.",
        )
    own = {entry.name: entry for entry in prompts}
    names = label_kind.sorted({str(one.record.label) for one in ready} | own.keys())
    texts = [(own.get(name) or ClassPrompts(name)).texts(templates) for name in names]
    hashes = [one.content_hash for one in ready]
    data = TrainingData(
        pixels=Pixels.of([one.levels for one in ready], preprocessing),
        labels=np.array([names.index(str(one.record.label)) for one in ready]),
        paths=tuple(one.record.path for one in ready),
        class_names=tuple(names),
        texts=ClassTexts.of(texts, folder),
        wide=Pixels.of([one.wide for one in ready if one.wide is not None], preprocessing) if augments else None,
        sources=source_numbers(hashes, Groups.from_user(hashes, [one.record.group for one in ready])),
    )
    return PreparedData(
        data=data,
        records=tuple(one.record for one in ready),
        content_hashes=tuple(one.content_hash for one in ready),
        label_kind=label_kind,
        skipped=tuple(skipped),
    )


def widened(preprocessing: Preprocessing) -> Preprocessing:
    """The preprocessing at a larger size: augmentation crops from more than the model would see."""
    shorter, resized, crop = preprocessing.shorter_edge, preprocessing.resized, preprocessing.crop
    return replace(
        preprocessing,
        shorter_edge=None if shorter is None else round(MARGIN * shorter),
        resized=None if resized is None else (round(MARGIN * resized[0]), round(MARGIN * resized[1])),
        crop=None if crop is None else (round(MARGIN * crop[0]), round(MARGIN * crop[1])),
    )


def _read(record: ImageRecord, preprocessing: Preprocessing, wide: Preprocessing | None) -> _Ready | SkippedImage:
    if record.label is None:
        return SkippedImage(record.path, "it has no label")
    try:
        loaded = load(record, shorter_side=(wide or preprocessing).shorter_side)
    except UnreadableImageError as error:
        return SkippedImage(record.path, error.message)
    image = loaded.image
    return _Ready(record, loaded.content_hash, preprocessing.levels(image), wide.levels(image) if wide else None)


def _without_copies(outcomes: Sequence[_Ready | SkippedImage]) -> tuple[list[_Ready], list[SkippedImage]]:
    first: dict[str, _Ready] = {}
    skipped = []
    for outcome in outcomes:
        if isinstance(outcome, SkippedImage):
            skipped.append(outcome)
        elif outcome.content_hash in first:
            original = first[outcome.content_hash].record.path
            skipped.append(SkippedImage(outcome.record.path, f"it is a copy of {original}"))
        else:
            first[outcome.content_hash] = outcome
    return list(first.values()), skipped
