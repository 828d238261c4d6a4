"""Several encoders as one: the first gives embedding and texts, and all of them the features that heads read beside it.

Vectors of different models tell different things of a picture. Side by side they are better told apart by few images
than either alone, and nothing is trained for it.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inkling.encoders.base import Encoder, ImageVectors, unfamiliar
from inkling.encoders.composed import ComposedEncoder, composed_images, composed_texts, parts_of
from inkling.encoders.files import hash_value
from inkling.encoders.precision import AUTO
from inkling.encoders.vectors import unit_vectors
from inkling.errors import EncoderError
from inkling.types import BoolArray, EncoderIdentity

PLUS = "+"
_BETWEEN = f" {PLUS} "
"""As a source is kept: with blanks, so that the name of a folder may have a plus even where it has gone."""


class JoinedEncoder(ComposedEncoder):
    """Several encoders as one.

    Embedding, texts and logit scale are those of the first. The feature is one row of blocks: of each its feature, or
    its embedding where it has no other. Blocks differ in length and scale by what model they come from, which says
    nothing about their worth; so each is brought to unit length and divided by the square root of their number, and
    cosines of features are the mean of the blocks' cosines.

    Parameters
    ----------
    encoders
        Two or more, none of them joined.
    precision
        In which they were opened; the identity keeps it where they give it different names.

    Raises
    ------
    EncoderError
        If one of them is there twice.
    """

    def __init__(self, encoders: Sequence[Encoder], *, precision: str = AUTO) -> None:
        super().__init__([part for encoder in encoders for part in parts_of(encoder)])
        self.encoders = tuple(encoders)
        self.precision = precision
        _refuse_twins([part.identity for part in self.parts])

    def __repr__(self) -> str:
        return f"JoinedEncoder({list(self.encoders)!r})"

    @cached_property
    def identity(self) -> EncoderIdentity:
        """Of all, in their order."""
        all_of_them = [encoder.identity for encoder in self.encoders]
        first = all_of_them[0]
        precisions = {one.precision for one in all_of_them}
        return EncoderIdentity(
            name=PLUS.join(one.name for one in all_of_them),
            source=_BETWEEN.join(one.source for one in all_of_them),
            fingerprint=hash_value({"joined": [one.fingerprint for one in all_of_them], "features": "a block each"}),
            dimension=first.dimension,
            feature_dimension=sum(one.feature_dimension or one.dimension for one in all_of_them),
            logit_scale=first.logit_scale,
            # Parts may call auto by the arithmetic that it is for them, which another part may not have.
            precision=precisions.pop() if len(precisions) == 1 else self.precision,
        )

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        """Those of the texts that have no vector; a warning where another of the encoders would know texts."""
        named = next((one.identity.name for one in self.encoders[1:] if one.has_texts), None)
        if texts and named is not None and not self.has_texts:
            warnings.warn(
                f"'{self.encoders[0].identity.name}' has no texts, and of joined encoders the first gives them: "
                f"put '{named}' first, so that the names of classes count.",
                stacklevel=2,
            )
        return super().missing_texts(texts)

    def compose(self, vectors: Sequence[ImageVectors]) -> ImageVectors:
        """Embeddings of the first, and the blocks of all as features."""
        of_each = [composed_images(encoder, [of_part]) for encoder, of_part in zip(self.encoders, vectors, strict=True)]
        blocks = [unit_vectors(one.embeddings if one.features is None else one.features) for one in of_each]
        return ImageVectors(of_each[0].embeddings, np.hstack(blocks) / np.float32(np.sqrt(len(blocks))))

    def compose_texts(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Those of the first."""
        return composed_texts(self.encoders[0], vectors)

    def is_unfamiliar(self, text_vectors: NDArray[np.float32]) -> BoolArray:
        """Whether the first knows little of texts, by their vectors (n, d), (n,)."""
        return unfamiliar(self.encoders[0], text_vectors)


def split_source(text: str, is_there: Callable[[str], bool]) -> list[str]:
    """Parts of a text such as ``A+B`` or ``A + B``; the text alone where it isn't joined.

    Parameters
    ----------
    text
        As the user gives it, or as `EncoderIdentity.source` has it.
    is_there
        Whether a part, with any plus in it, names something that exists. The longest such part wins.
    """
    words = re.split(r"(\s*\+\s*)", text)
    names, signs = words[::2], words[1::2]
    # In a kept source, blanks separate: a plus without them is of a folder's name, though the folder may have gone.
    is_kept = any(sign == _BETWEEN for sign in signs)
    found: list[str] = []
    at = 0
    while at < len(names):
        ends = (end for end in range(len(names), at, -1) if is_there("".join(words[2 * at : 2 * end - 1])))
        end = next(ends, at + 1)
        if end == at + 1 and is_kept and names[at].startswith(os.sep) and not is_there(names[at]):
            end = next((k + 1 for k in range(at, len(signs)) if signs[k] == _BETWEEN), len(names))
        found.append("".join(words[2 * at : 2 * end - 1]))
        at = end
    return found


def _refuse_twins(parts: Sequence[EncoderIdentity]) -> None:
    for number, part in enumerate(parts):
        twin = next((other for other in parts[:number] if other.fingerprint == part.fingerprint), None)
        if twin is not None:
            raise EncoderError(
                f"The encoders '{twin.source}' and '{part.source}' are the same, so joining them adds nothing.",
                remedy="Join encoders that differ.",
            )
