"""The encoder for long work: it goes through the encoder's queue in small pieces, so that requests come in between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.serving.batching import EncoderThreads
from inkling.serving.forwarding import ForwardingEncoder, each_part

PIECE = 4
"""Images that go through at once."""


def queued(encoder: Encoder, threads: EncoderThreads) -> Encoder:
    """An encoder whose forward passes run in the encoder's threads."""
    return each_part(encoder, lambda _, part: QueuedEncoder(part, threads))


class QueuedEncoder(ForwardingEncoder):
    """An encoder whose forward passes run in the encoder's threads.

    Parameters
    ----------
    encoder
        The encoder.
    threads
        Run it.
    """

    def __init__(self, encoder: Encoder, threads: EncoderThreads) -> None:
        super().__init__(encoder)
        self._threads = threads

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """As the encoder does, piece by piece."""
        parts = [
            self._threads.call(partial(self._encoder.encode_images, batch[at : at + PIECE]))
            for at in range(0, len(batch), PIECE)
        ]
        features = [part.features for part in parts if part.features is not None]
        return ImageVectors(
            np.concatenate([part.embeddings for part in parts]), np.concatenate(features) if features else None
        )

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does."""
        return self._threads.call(lambda: self._encoder.encode_texts(texts))
