"""How corrected images are laid out in a new folder, so that reading it gives the labels that were meant.

Folders of classes where they can hold the whole: no boxes, and every class has a name that a folder can have. Else a
table ``metadata.csv`` beside the pictures.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inkling.errors import InputError
from inkling.filing.names import Names, safe_name
from inkling.images.box_columns import SIDES
from inkling.images.layout import has_splits, in_split, kind_to_ignore, label_files
from inkling.types import Box, ImageRecord

TABLE = "metadata.csv"
_FILE_NAME, _LABEL, _SPLIT, _ID = "file_name", "label", "split", "id"


@dataclass(frozen=True)
class Labelled:
    """An image with the label that it is to have.

    Attributes
    ----------
    record
        The image; its own label is the one that it had.
    label
        The corrected one; None for an image without.
    split
        Part of the data set that it is of; None where that is not divided.
    below
        Its path from the folder of all images; None where it lies elsewhere.
    """

    record: ImageRecord
    label: str | None
    split: str | None
    below: PurePosixPath | None


def class_folders(images: Sequence[Labelled]) -> list[str] | None:
    """Folder of each image, from the new folder; None where folders of classes can't hold the whole."""
    if any(image.record.box is not None for image in images):
        return None
    names = Names()
    for image in images:
        if image.label is not None:
            names.of(image.label)
    inner = _inner_folders([image.below for image in images])
    folders = [
        "/".join(filter(None, (image.split, names.of(image.label) if image.label is not None else None, *within)))
        for image, within in zip(images, inner, strict=True)
    ]
    files = [PurePosixPath(folder, f"{number}.png") for number, folder in enumerate(folders)]
    read = label_files(files, split=None)
    divided = any(image.split is not None for image in images)
    is_whole = (
        has_splits(files) == divided
        and all(one.label == image.label for one, image in zip(read, images, strict=True))
        and all(kind_to_ignore(file_name(image.record)) is None for image in images)
    )
    return folders if is_whole else None


def _inner_folders(below: Sequence[PurePosixPath | None]) -> list[tuple[str, ...]]:
    """Folders between that of its class and each image; none where images lie otherwise."""
    files = [file for file in below if file is not None]
    if len(files) < len(below):
        return [()] * len(below)
    divided = has_splits(files)
    above = [2 if divided and in_split(file) else 1 for file in files]
    return [tuple(map(safe_name, file.parts[n:-1])) for file, n in zip(files, above, strict=True)]


def file_name(record: ImageRecord) -> str:
    """Name of a picture's file, without its folders."""
    return PurePosixPath(record.member or Path(record.file or record.path).name).name


def check_boxes(images: Sequence[Labelled]) -> None:
    """Make sure that a table can hold the boxes: all in pixels, or all in shares.

    Raises
    ------
    InputError
        If they are not.
    """
    boxes = [image.record.box for image in images if image.record.box is not None]
    kinds = {box.in_shares for box in boxes}
    largest = max((side for box in boxes for side in (box.x, box.y, box.width, box.height)), default=0.0)
    if len(kinds) > 1 or (boxes and (largest <= 1) != boxes[0].in_shares):
        raise InputError(
            "The boxes are of pixels and of shares, and one table can't hold both."
            if len(kinds) > 1
            else f"No table can tell these boxes from boxes in {'pixels' if boxes[0].in_shares else 'shares'}.",
            remedy="Write all boxes in pixels. Nothing was written.",
        )


def table_of(images: Sequence[Labelled], files: Sequence[str], *, path: str = _FILE_NAME) -> bytes:
    """The table of images that lie at paths beside it, in the column `path`; only the columns that something fills."""
    rows = [{path: file, **_row(image)} for image, file in zip(images, files, strict=True)]
    columns = [name for name in (path, _LABEL, _SPLIT, *SIDES, _ID) if any(row[name] != "" for row in rows)]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _row(image: Labelled) -> dict[str, str]:
    row = {_LABEL: image.label or "", _SPLIT: image.split or "", **_sides(image.record.box)}
    return row | {_ID: "" if image.record.box is None else image.record.box.id or ""}


def _sides(box: Box | None) -> dict[str, str]:
    if box is None:
        return dict.fromkeys(SIDES, "")
    return {name: repr(getattr(box, name)) for name in SIDES}
