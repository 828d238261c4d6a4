"""Images as a Python caller has them: paths, pictures in memory, or the name of a source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkling.errors import InputError
from inkling.images.layout import class_name
from inkling.images.sources import find_images
from inkling.types import ImageRecord

_KINDS = "Hand over paths, PIL images, or arrays (height, width, 3) or (height, width) of uint8, in a list."


def records_of(images: Any, labels: Iterable[Any] | None = None, *, split: str | None = None) -> list[ImageRecord]:
    """Image records of what a caller handed over.

    Parameters
    ----------
    images
        A source that `find_images` reads, or a sequence of paths, PIL images, arrays (height, width, 3) of uint8, or
        image records.
    labels
        Label of each image, where the source does not tell; they are read as text. None or NaN for an image without.
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
        records = [_record(image, number) for number, image in enumerate(_several(images))]
    if labels is None:
        return records
    names = [_name(label) for label in labels]
    if len(names) != len(records):
        raise InputError(f"Got {len(records)} images and {len(names)} labels.", remedy="Hand over one label an image.")
    return [replace(record, label=name) for record, name in zip(records, names, strict=True)]


def _several(images: Any) -> Iterable[Any]:
    """The items, or a refusal of what only looks like many: iterating over a picture would give its rows."""
    colours = isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] in (3, 4)
    if colours or isinstance(images, Image.Image) or (isinstance(images, np.ndarray) and images.ndim == 2):
        raise InputError("A single picture was handed over; a list was expected.", remedy="Write [picture].")
    if not isinstance(images, Iterable):
        raise InputError(f"Images cannot be read from a {type(images).__name__}.", remedy=_KINDS)
    return images


def _record(image: Any, number: int) -> ImageRecord:
    match image:
        case ImageRecord():
            return image
        case str() | Path():
            return ImageRecord(str(image))
        case Image.Image():
            return ImageRecord(f"image {number}", image=image)
        case np.ndarray():
            return ImageRecord(f"image {number}", image=_picture(image, number))
    raise InputError(f"Image {number} is a {type(image).__name__}.", remedy=_KINDS)


def _picture(array: np.ndarray[Any, np.dtype[Any]], number: int) -> Image.Image:
    try:
        # Only bytes say what is white: whole numbers in 16 bits may mean 0..255, 0..4095 or 0..65535.
        if array.ndim < 2 or array.dtype not in (np.uint8, np.bool_):
            raise ValueError
        return Image.fromarray(array)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Image {number} is an array of shape {array.shape} and type {array.dtype}.", remedy=_arrays_wanted(array)
        ) from error


def _arrays_wanted(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    if array.dtype.kind not in "iuf":
        return _KINDS
    return (
        "Say what is white by mapping it to 255: array.astype('uint8') where values run from 0 to 255, else "
        f"(array / WHITE * 255).round().astype('uint8'). {_KINDS}"
    )


def _name(label: Any) -> str | None:
    if label is None or label != label:
        return None
    return class_name(str(label)) or None
