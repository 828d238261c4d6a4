"""Encoders made from others, whose vectors are kept one by one: what one of them has encoded is not encoded again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.errors import EncoderError
from inkling.types import EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image


class ComposedEncoder(ABC):
    """An encoder whose vectors are computed from those of its parts. The first part has the texts.

    Parameters
    ----------
    parts
        Encoders that are not composed themselves.
    """

    def __init__(self, parts: Sequence[Encoder]) -> None:
        self.parts = tuple(parts)

    @property
    @abstractmethod
    def identity(self) -> EncoderIdentity:
        """Name, fingerprint, dimensions, logit scale, precision."""

    @abstractmethod
    def compose(self, vectors: Sequence[ImageVectors]) -> ImageVectors:
        """Vectors of images from those that each part gave of the same images, in the order of the parts."""

    @abstractmethod
    def compose_texts(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts from those of the first part."""

    @property
    def has_texts(self) -> bool:
        """Whether the first part has a text side."""
        return self.parts[0].has_texts

    @property
    def text_template(self) -> str | None:
        """That of the first part."""
        return self.parts[0].text_template

    @property
    def shorter_side(self) -> int:
        """That of the part which reads the largest pictures."""
        return max(part.shorter_side for part in self.parts)

    def prepare(self, image: Image) -> Prepared:
        """What each part makes of an RGB picture."""
        return tuple(part.prepare(image) for part in self.parts)

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """Vectors of prepared images, in order. One part after the other: their activations never stand together."""
        vectors = []
        for number, part in enumerate(self.parts):
            with naming_the_part(part, of=self):
                vectors.append(part.encode_images([image[number] for image in batch]))
        return self.compose(vectors)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts.

        Raises
        ------
        EncoderError
            If the first part has no text side, or a closed table lacks one of the texts.
        """
        return self.compose_texts(self.parts[0].encode_texts(texts))

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that have no vector."""
        return self.parts[0].missing_texts(texts)


@contextmanager
def naming_the_part(part: Encoder, *, of: Encoder) -> Iterator[None]:
    """Say in an error of a part which of several it is."""
    try:
        yield
    except EncoderError as error:
        if len(parts_of(of)) == 1:
            raise
        named = f"Of the joined encoders, '{part.identity.name}' can't be used: {error.message}"
        raise type(error)(named, remedy=error.remedy) from error


def parts_of(encoder: Encoder) -> tuple[Encoder, ...]:
    """Encoders whose vectors are kept: those that it is made from, or itself."""
    return encoder.parts if isinstance(encoder, ComposedEncoder) else (encoder,)


def composed_images(encoder: Encoder, vectors: Sequence[ImageVectors]) -> ImageVectors:
    """Vectors of an encoder from those of `parts_of` it."""
    return encoder.compose(vectors) if isinstance(encoder, ComposedEncoder) else vectors[0]


def composed_texts(encoder: Encoder, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Text vectors of an encoder from those of the first of `parts_of` it."""
    return encoder.compose_texts(vectors) if isinstance(encoder, ComposedEncoder) else vectors
