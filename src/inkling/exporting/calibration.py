"""Prepared pictures by which quantisation finds the ranges of activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder
from inkling.encoders.composed import parts_of
from inkling.errors import UnreadableImageError
from inkling.images.decode import read
from inkling.images.files import Files
from inkling.types import ImageRecord


def prepared_pictures(encoder: Encoder, records: Sequence[ImageRecord], *, most: int) -> list[NDArray[np.float32]]:
    """So many pictures at most as each part of an encoder reads them, (n, \\*axes) each.

    Those that can't be read are left out; the arrays are empty where none is left.
    """
    parts = parts_of(encoder)
    rows = list(islice(_prepared(encoder, records), most))
    return [
        np.stack([row[number] for row in rows]) if rows else np.zeros(0, np.float32) for number in range(len(parts))
    ]


def _prepared(encoder: Encoder, records: Sequence[ImageRecord]) -> Iterator[list[Any]]:
    with Files() as files:
        for record in records:
            try:
                picture = read(record, files).decode(files, shorter_side=encoder.shorter_side)
            except UnreadableImageError:
                continue
            yield [part.prepare(picture) for part in parts_of(encoder)]
