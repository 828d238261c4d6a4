"""Images as a Python caller has them: paths, pictures in memory, or the name of a source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkling.errors import InputError
from inkling.images.sources import find_images
from inkling.types import ImageRecord


def records_of(images: Any, labels: Sequence[Any] | None = None, *, split: str | None = None) -> list[ImageRecord]:
    """Image records of what a caller handed over.

    Parameters
    ----------
    images
        A source that `find_images` reads, or a sequence of paths, PIL images, arrays (height, width, 3) of uint8, or
        image records.
    labels
        Label of each image, where the source does not tell.
    split
        Part of a source that is divided into train and test.

    Raises
    ------
    InputError
        If the numbers differ, or an item is no image.
    """
    if isinstance(images, str | Path):
        records = list(find_images(images, split=split).records)
    else:
        records = [_record(image, number) for number, image in enumerate(images)]
    if labels is None:
        return records
    if len(labels) != len(records):
        raise InputError(f"Got {len(records)} images and {len(labels)} labels.", remedy="Hand over one label an image.")
    return [
        ImageRecord(record.path, str(label), record.archive, record.member, record.image)
        for record, label in zip(records, labels, strict=True)
    ]


def _record(image: Any, number: int) -> ImageRecord:
    from numpy import ndarray
    from PIL import Image

    if isinstance(image, ImageRecord):
        return image
    if isinstance(image, str | Path):
        return ImageRecord(str(image))
    if isinstance(image, Image.Image):
        return ImageRecord(f"image {number}", image=image)
    if isinstance(image, ndarray):
        try:
            return ImageRecord(f"image {number}", image=Image.fromarray(image))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"Image {number} is an array of shape {image.shape} and type {image.dtype}.",
                remedy="Arrays are (height, width, 3) or (height, width) of uint8.",
            ) from error
    raise InputError(
        f"Image {number} is a {type(image).__name__}.", remedy="Hand over paths, PIL images or arrays of uint8."
    )
