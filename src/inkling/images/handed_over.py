"""Images as a Python caller has them: paths, pictures in memory, tables, or the name of a source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkling.errors import InputError
from inkling.images.groups import read_groups
from inkling.images.places import WEB, Url, on_the_web, place_of
from inkling.images.sources import Found, find_images
from inkling.images.tables import GROUP, LABEL, PATH
from inkling.labels import Kind, read_labels
from inkling.types import ImageRecord
from inkling.wording import counted, kind_of

_KINDS = (
    "Hand over paths, bytes of image files, PIL images, or arrays or tensors (height, width, 3) or (height, width) of "
    "uint8, in a list; or a data frame with a column 'path'."
)
_SLASH_LOST = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class GivenImages:
    """What a caller handed over.

    Attributes
    ----------
    records
        The images.
    label_kind
        What their labels were before they became names.
    """

    records: list[ImageRecord]
    label_kind: Kind = Kind.TEXT


def records_of(images: Any, labels: Any = None, *, split: str | None = None) -> list[ImageRecord]:
    """Image records of what a caller handed over; see `read_images`."""
    return read_images(images, labels, split=split).records


def read_images(images: Any, labels: Any = None, *, groups: Any = None, split: str | None = None) -> GivenImages:
    """Images that a caller handed over, with their labels.

    Parameters
    ----------
    images
        A source that `find_images` reads, or what it found there; or a sequence of paths, bytes of image files, PIL
        images, arrays or tensors (height, width, 3) of uint8, or image records; or a data frame with a column ``path``
        and maybe ``label``.
    labels
        Label of each image, where the source does not tell, as for `inkling.labels.read_labels`.
    groups
        Which source each image comes from, where that is known; a data frame may have a column ``group``.
    split
        Part of a source that is divided into train and test.

    Raises
    ------
    InputError
        If the numbers differ, or an item is no image.

    Examples
    --------
    >>> read_images(["a.jpg", "b.jpg"], [0, 1]).records[1].label
    '1'
    """
    if isinstance(images, str | Path):
        _require_readable(images)
        images = find_images(images, split=split)
    kind = Kind.TEXT
    if isinstance(images, Found):
        records, kind = list(images.records), images.label_kind
    elif hasattr(images, "columns"):
        columns = _columns(images)
        records = [_record(image, number) for number, image in enumerate(columns[PATH])]
        labels = columns.get(LABEL) if labels is None else labels
        groups = columns.get(GROUP) if groups is None else groups
    else:
        records = [_record(image, number) for number, image in enumerate(_several(images))]
    if groups is not None:
        names = read_groups(groups, len(records))
        records = [replace(record, group=name) for record, name in zip(records, names, strict=True)]
    if labels is None:
        return GivenImages(records, kind)
    read = read_labels(labels)
    if len(read.names) != len(records):
        raise InputError(
            f"Got {counted(len(records), 'image')} and {counted(len(read.names), 'label')}.",
            remedy="Hand over one label an image.",
        )
    labelled = [replace(record, label=name) for record, name in zip(records, read.names, strict=True)]
    return GivenImages(labelled, read.kind)


def _columns(frame: Any) -> dict[str, Any]:
    """Columns of a data frame by name, without regard to case."""
    columns = {str(name).strip().lower(): frame[name] for name in frame.columns}
    if PATH not in columns:
        raise InputError(
            f"The data frame has no column '{PATH}'; its columns are: {', '.join(columns) or 'none'}.",
            remedy="Name the column of image files 'path', and that of their classes 'label'.",
        )
    return columns


def _several(images: Any) -> Iterable[Any]:
    """The items, or a refusal of what only looks like many: iterating over a picture would give its rows."""
    shape: tuple[int, ...] = tuple(getattr(images, "shape", ()))
    is_picture = len(shape) == 3 and (shape[2] in _CHANNELS[1:] or (_is_tensor(images) and shape[0] in _CHANNELS))
    is_plane = len(shape) == 2 and getattr(getattr(images, "dtype", None), "kind", None) not in ("O", "U", "S")
    if isinstance(images, Image.Image | bytes | bytearray | memoryview) or is_picture or is_plane:
        raise InputError("A single picture was handed over; a list was expected.", remedy="Write [picture].")
    if not isinstance(images, Iterable):
        raise InputError(f"Images cannot be read from {kind_of(images)}.", remedy=_KINDS)
    return images


def _record(image: Any, number: int) -> ImageRecord:
    match image:
        case ImageRecord():
            return image
        case str() | Path():
            _require_readable(image)
            return ImageRecord(str(image))
        case bytes() | bytearray() | memoryview():
            return ImageRecord(f"image {number}", data=bytes(image))
        case Image.Image():
            return ImageRecord(f"image {number}", image=image)
        case np.ndarray():
            return ImageRecord(f"image {number}", image=_picture(image, number))
        case _ if _is_tensor(image):
            return ImageRecord(f"image {number}", image=_picture(_rows_first(image), number))
    raise InputError(f"Image {number} is {kind_of(image)}.", remedy=_KINDS)


def _require_readable(path: str | Path) -> None:
    """Refuse what is on the web, and URLs that can't be read here."""
    lost = _SLASH_LOST.match(str(path)) if isinstance(path, Path) else None
    if lost and lost[1].lower() in WEB:
        raise on_the_web(str(path))
    if lost and not Path(path).exists():
        raise InputError(
            f"'{path}' is a URL that lost one of its slashes: it was made a path.", remedy="Hand it over as text."
        )
    place = place_of(path)
    if isinstance(place, Url):
        place.check()


def _is_tensor(image: Any) -> bool:
    return hasattr(image, "detach") and hasattr(image, "numpy")


def _rows_first(tensor: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """An array (height, width, channels) of a tensor, whose channels stand first by custom."""
    array = np.asarray(tensor.detach().cpu().numpy())
    if array.ndim == 3 and array.shape[0] in _CHANNELS and array.shape[2] not in _CHANNELS:
        array = array.transpose(1, 2, 0)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array


def _picture(array: np.ndarray[Any, np.dtype[Any]], number: int) -> Image.Image:
    try:
        # Only bytes say what is white: whole numbers in 16 bits may mean 0..255, 0..4095 or 0..65535.
        if array.ndim < 2 or array.dtype not in (np.uint8, np.bool_):
            raise ValueError
        return Image.fromarray(np.ascontiguousarray(array))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Image {number} is an array of shape {array.shape} and type {array.dtype}.", remedy=_arrays_wanted(array)
        ) from error


def _arrays_wanted(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    if array.dtype in (np.uint8, np.bool_):
        return "A picture is (height, width) gray levels, (height, width, 3) RGB or (height, width, 4) RGBA, of uint8."
    if array.dtype.kind not in "iuf":
        return _KINDS
    return (
        "Say what is white by mapping it to 255: array.astype('uint8') where values run from 0 to 255, else "
        f"(array / WHITE * 255).round().astype('uint8'). {_KINDS}"
    )
