"""Embeddings that differ by fold, from encoders that were tuned without the images of the fold. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inkling.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class FoldSpaces:
    """What the encoder of each fold makes of all images and classes.

    A tuned encoder knows the images that it was tuned on, so what heads make of its vectors of them proves nothing.
    Only what the encoder of another fold makes of an image is evidence.

    Attributes
    ----------
    fold
        Which encoder was tuned without the image, (n,); -1 where none was.
    images
        Unit vectors (n_folds, n, d).
    classes
        Unit text vectors (n_folds, n_classes, d).
    """

    fold: IntArray
    images: FloatArray
    classes: FloatArray

    @property
    def rows(self) -> IntArray:
        """Images that some encoder was not tuned on."""
        return np.flatnonzero(self.fold >= 0)

    @property
    def n_folds(self) -> int:
        """Number of encoders."""
        return len(self.images)

    def only(self, rows: IntArray) -> FoldSpaces:
        """Some of the images; the classes stay."""
        return FoldSpaces(self.fold[rows], self.images[:, rows], self.classes)

    def text_logits(self, logit_scale: float) -> FloatArray:
        """Logits s f.t_k of those images, each by the encoder that did not see it, (n_rows, n_classes)."""
        rows, own = self.rows, self.fold[self.rows]
        return np.asarray(logit_scale * np.einsum("nd,nkd->nk", self.images[own, rows], self.classes[own]))
