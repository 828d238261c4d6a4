"""Pictures to vectors without a cache and without look-ahead: for whoever waits for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.embeddings.pipeline import check_vectors, outcome_of
from inkling.encoders.base import Encoder, Prepared
from inkling.encoders.composed import composed_images, naming_the_part, parts_of
from inkling.errors import UnreadableImageError
from inkling.images.decode import read
from inkling.images.files import Files
from inkling.types import ImageRecord


@dataclass(frozen=True, eq=False)
class ReadyPicture:
    """A picture that is decoded and prepared, so that only the encoder is left to be run.

    Attributes
    ----------
    path, content_hash
        Which picture it is.
    prepared
        What each part of the encoder will read.
    fingerprint
        Of the encoder.
    """

    path: str
    content_hash: str
    prepared: tuple[Prepared, ...]
    fingerprint: str


def ready_picture(record: ImageRecord, encoder: Encoder) -> ReadyPicture:
    """Read, hash, decode and prepare one picture. Safe to call from several threads.

    Raises
    ------
    UnreadableImageError
        If it cannot be read or decoded.
    """
    parts = parts_of(encoder)
    prepared: dict[int, Prepared] = {}
    with Files() as files:
        content = read(record, files)
        sides = {number: part.shorter_side for number, part in enumerate(parts)}
        for image, numbers in content.decode_for(files, sides):
            prepared |= {number: parts[number].prepare(image) for number in numbers}
    ready = tuple(prepared[number] for number in range(len(parts)))
    return ReadyPicture(record.path, content.content_hash, ready, encoder.identity.fingerprint)


def encode_ready(
    pictures: Sequence[ReadyPicture], encoder: Encoder
) -> list[NDArray[np.float32] | UnreadableImageError]:
    """The vector of each picture, (d + f,), or why it has none; in one run of the encoder."""
    made = []
    for number, part in enumerate(parts_of(encoder)):
        with naming_the_part(part, of=encoder):
            vectors = part.encode_images([one.prepared[number] for one in pictures])
            check_vectors(vectors, part, len(pictures))
        made.append(vectors)
    whole = composed_images(encoder, made)
    found: list[NDArray[np.float32] | UnreadableImageError] = []
    for row in range(len(pictures)):
        image = outcome_of(whole, row, b"")
        if isinstance(image, UnreadableImageError):
            found.append(image)
        else:
            blocks = [image.embedding] if image.feature is None else [image.embedding, image.feature]
            found.append(np.concatenate(blocks))
    return found
