"""What an encoder is. It holds no state beyond its weights and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from inkling.types import BoolArray, EncoderIdentity

if TYPE_CHECKING:
    from PIL.Image import Image

Prepared = Any
"""What `prepare` makes of a picture for `encode_images` of the same encoder: an array, as a rule."""


@dataclass(frozen=True)
class ImageVectors:
    """Vectors of a batch of images.

    Attributes
    ----------
    embeddings
        Unit vectors in the space that images and texts share, (n, d) float32.
    features
        Second, image-side output, (n, f) float32 as the model gives it, or None where the encoder has none.

    Examples
    --------
    >>> ImageVectors(np.eye(2, dtype=np.float32)).features is None
    True
    """

    embeddings: NDArray[np.float32]
    features: NDArray[np.float32] | None = None


@runtime_checkable
class Encoder(Protocol):
    """Images, and optionally texts, to unit vectors in one space.

    Constructing one reads small files only; weights are loaded at the first call that needs them, so a run that
    finds all its vectors in the cache never loads them. Whatever has these members can be handed to
    `inkling.FewShotClassifier`, and be registered under the entry point group ``inkling.encoders``, by a name.

    Examples
    --------
    >>> isinstance(load_encoder("sketch"), Encoder)
    True
    """

    @property
    def identity(self) -> EncoderIdentity:
        """Name, fingerprint, dimensions, logit scale, precision. Does not load the model."""
        ...

    @property
    def has_texts(self) -> bool:
        """Whether `encode_texts` works at all."""
        ...

    @property
    def text_template(self) -> str | None:
        """The one prompt that a closed vocabulary knows, with ``{}`` in the name's place; None where any will do."""
        ...

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side after resizing; decoding may scale a JPEG down as long as it stays well above."""
        ...

    def prepare(self, image: Image) -> Prepared:
        """Preprocess one RGB image to the array that the model reads. Safe to call from several threads.

        Examples
        --------
        >>> from PIL import Image
        >>> load_encoder("sketch").prepare(Image.open("inbox/car-0000.png").convert("RGB")).shape
        (3, 48, 48)
        """
        ...

    def encode_images(self, batch: Sequence[Prepared]) -> ImageVectors:
        """Vectors of prepared images, in order.

        Examples
        --------
        >>> from PIL import Image
        >>> encoder = load_encoder("sketch")
        >>> image = encoder.prepare(Image.open("inbox/car-0000.png").convert("RGB"))
        >>> encoder.encode_images([image]).embeddings.shape
        (1, 128)
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts.

        Raises
        ------
        EncoderError
            Where the encoder has no text side, or a closed vocabulary that lacks one of the texts; `missing_texts`
            tells beforehand.

        Examples
        --------
        >>> load_encoder("sketch").encode_texts(["a cat", "a car"]).shape
        (2, 128)
        """
        ...

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that have no vector (all without a text side; none with an open text tower).

        Examples
        --------
        >>> load_encoder("sketch").missing_texts(["a cat"])
        []
        """
        ...


@runtime_checkable
class KnowsItsWords(Protocol):
    """What an encoder may tell besides: which texts it knows too little of to be trusted with."""

    def is_unfamiliar(self, text_vectors: NDArray[np.float32]) -> BoolArray:
        """Whether texts, by their vectors (n, d), are far from all that the image side knows, (n,)."""
        ...


def unfamiliar(encoder: Encoder, text_vectors: NDArray[np.float32]) -> BoolArray:
    """Which texts an encoder knows little of, (n,); none where it can't tell."""
    if isinstance(encoder, KnowsItsWords):
        return encoder.is_unfamiliar(text_vectors)
    return np.zeros(len(text_vectors), dtype=bool)
