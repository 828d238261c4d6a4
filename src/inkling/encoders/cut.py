"""Vectors cut to their first dimensions, for models trained so that these stand for the whole.

Matryoshka representation learning (Kusupati et al. 2022, 2205.13147) trains the first m dimensions for several m at
once; cut and brought to unit length again, they lose little. Of a model that was not trained so, they lose more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder, ImageVectors
from inkling.encoders.composed import ComposedEncoder
from inkling.encoders.files import hash_value
from inkling.encoders.joined import JoinedEncoder
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError, InputError
from inkling.types import EncoderIdentity
from inkling.wording import excerpt

_MARK = "@"
_CUT = re.compile(rf"(.+){_MARK}(\d+)", re.DOTALL)


class CutEncoder(ComposedEncoder):
    """The first dimensions of an encoder's embeddings, of images and of texts; its features stay whole.

    Parameters
    ----------
    encoder
        Not composed itself.
    dimensions
        How many are kept; fewer than it has.
    """

    def __init__(self, encoder: Encoder, dimensions: int) -> None:
        super().__init__([encoder])
        self._dimensions = dimensions

    def __repr__(self) -> str:
        return f"CutEncoder({self.parts[0]!r}, {self._dimensions})"

    @cached_property
    def identity(self) -> EncoderIdentity:
        """That of the whole encoder, with the dimension in it."""
        whole = self.parts[0].identity
        return replace(
            whole,
            name=f"{whole.name}{_MARK}{self._dimensions}",
            source=f"{whole.source}{_MARK}{self._dimensions}",
            fingerprint=hash_value({"of": whole.fingerprint, "first dimensions": self._dimensions}),
            dimension=self._dimensions,
        )

    def compose(self, vectors: Sequence[ImageVectors]) -> ImageVectors:
        """Embeddings cut and brought to unit length, features as they are."""
        (whole,) = vectors
        return ImageVectors(self._cut(whole.embeddings), whole.features)

    def compose_texts(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Text vectors cut and brought to unit length."""
        return self._cut(vectors)

    def _cut(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return unit_vectors(vectors[:, : self._dimensions])


def cut(encoder: Encoder, dimensions: int | None) -> Encoder:
    """An encoder with embeddings of so many dimensions; itself for None, and where it has no more.

    Of joined encoders the first is cut: the vectors of the others are features, which heads read whole.

    Raises
    ------
    EncoderError
        If it has fewer.
    InputError
        If `dimensions` is no whole number of 1 or more.
    """
    check_dimensions(dimensions)
    if dimensions is None:
        return encoder
    whole = encoder.identity
    if dimensions > whole.dimension:
        raise EncoderError(
            f"The vectors of '{whole.name}' have {whole.dimension} dimensions; they can't be cut to {dimensions}.",
            remedy=f"Name a number from 1 to {whole.dimension}, or leave it out.",
        )
    if dimensions == whole.dimension:
        return encoder
    if isinstance(encoder, JoinedEncoder):
        first, *others = encoder.encoders
        return JoinedEncoder([cut(first, dimensions), *others], precision=encoder.precision)
    if isinstance(encoder, CutEncoder):
        return CutEncoder(encoder.parts[0], int(dimensions))
    return CutEncoder(encoder, int(dimensions))


def check_dimensions(dimensions: object) -> None:
    """Refuse what is no number of dimensions.

    Raises
    ------
    InputError
        If it is neither None nor a whole number of 1 or more.
    """
    if dimensions is None:
        return
    if not isinstance(dimensions, Integral) or isinstance(dimensions, bool) or dimensions < 1:
        raise InputError(
            f"dimensions must be a whole number, 1 or more, got {excerpt(dimensions)}.",
            remedy="Such as 256; a model card tells which numbers the model was trained for.",
        )


def without_cut(text: str) -> tuple[str, int | None]:
    """A source such as ``name@256``, as `EncoderIdentity.source` has it: name and number, which may be None."""
    found = _CUT.fullmatch(text)
    return (text, None) if found is None else (found[1], int(found[2]))
