"""Embeddings that differ by fold, from encoders that were tuned without the images of the fold. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

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
        Vectors (n_folds, n, d).
    classes
        Text vectors (n_folds, n_classes, d).
    """

    fold: IntArray
    images: FloatArray
    classes: FloatArray
