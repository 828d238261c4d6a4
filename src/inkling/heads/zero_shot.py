"""Zero-shot: z_k = s f.t_k. Radford et al. 2021, 2103.00020."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inkling.errors import InputError
from inkling.heads.base import Head
from inkling.heads.support import Support
from inkling.types import FloatArray


@dataclass(eq=False, repr=False)
class ZeroShotHead(Head):
    """Cosine of the image to the text vector of each class, times the logit scale."""

    name: ClassVar[str] = "zero-shot"

    def _learn(self, support: Support) -> None:
        if support.text is None:
            raise InputError(
                "The zero-shot head needs text vectors, and no class has one.",
                remedy="Use an encoder with a text side, or a head that learns from images, such as 'prototype'.",
            )
        self.text_ = support.text

    def _score(self, X: FloatArray) -> FloatArray:
        return self._text_logits(X, self.text_)
