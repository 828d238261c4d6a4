"""Encoders that are run elsewhere: in another thread, or in another process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from inkling.encoders.base import Encoder, Prepared, unfamiliar
from inkling.encoders.composed import ComposedEncoder, parts_of
from inkling.types import BoolArray, EncoderIdentity

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


def each_part(encoder: Encoder, run_elsewhere: Callable[[int, Encoder], Encoder]) -> Encoder:
    """An encoder whose forward passes are run elsewhere; of a composed one, those of each of its parts.

    So each part reads the pixels that it reads anywhere else, at the scale that is right for it.

    Parameters
    ----------
    run_elsewhere
        Called with the number of a part and the part.
    """
    parts = tuple(run_elsewhere(number, part) for number, part in enumerate(parts_of(encoder)))
    if not isinstance(encoder, ComposedEncoder):
        return parts[0]
    made = copy(encoder)
    made.parts = parts
    return made


class ForwardingEncoder:
    """An encoder that answers as another one does. What takes a forward pass is for subclasses to run elsewhere.

    Parameters
    ----------
    encoder
        The other one.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

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

    def is_unfamiliar(self, text_vectors: NDArray[np.float32]) -> BoolArray:
        """As of the encoder."""
        return unfamiliar(self._encoder, text_vectors)

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """As of the encoder."""
        return self._encoder.missing_texts(texts)
