"""The encoder for long work: it goes through the encoder's thread in small pieces, so that requests come in between."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder, ImageVectors, Prepared, unfamiliar
from inkling.encoders.composed import ComposedEncoder
from inkling.serving.batching import EncoderThread
from inkling.types import BoolArray, EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

PIECE = 4
"""Images that go through at once."""


def queued(encoder: Encoder, thread: EncoderThread) -> Encoder:
    """An encoder whose forward passes run in the encoder's thread; of a composed one, those of each of its parts.

    So each part reads the pixels that it reads anywhere else, at the scale that is right for it.
    """
    if not isinstance(encoder, ComposedEncoder):
        return QueuedEncoder(encoder, thread)
    made = copy(encoder)
    made.parts = tuple(QueuedEncoder(part, thread) for part in encoder.parts)
    return made


class QueuedEncoder:
    """An encoder whose forward passes run in the encoder's thread.

    Parameters
    ----------
    encoder
        The encoder.
    thread
        Runs it.
    """

    def __init__(self, encoder: Encoder, thread: EncoderThread) -> None:
        self._encoder, self._thread = encoder, thread

    @property
    def identity(self) -> EncoderIdentity:
        """As of the encoder."""
        return self._encoder.identity

    @property
    def has_texts(self) -> bool:
        """As of the encoder."""
        return self._encoder.has_texts

    @property
    def text_template(self) -> str | None:
        """As of the encoder."""
        return self._encoder.text_template

    @property
    def shorter_side(self) -> int:
        """As of the encoder."""
        return self._encoder.shorter_side

    def prepare(self, image: Image) -> Prepared:
        """As the encoder does, in whatever thread."""
        return self._encoder.prepare(image)

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """As the encoder does, piece by piece."""
        parts = [
            self._thread.call(partial(self._encoder.encode_images, batch[at : at + PIECE]))
            for at in range(0, len(batch), PIECE)
        ]
        features = [part.features for part in parts if part.features is not None]
        return ImageVectors(
            np.concatenate([part.embeddings for part in parts]), np.concatenate(features) if features else None
        )

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does."""
        return self._thread.call(lambda: self._encoder.encode_texts(texts))

    def is_unfamiliar(self, text_vectors: NDArray[np.float32]) -> BoolArray:
        """As of the encoder."""
        return unfamiliar(self._encoder, text_vectors)

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """As of the encoder."""
        return self._encoder.missing_texts(texts)
