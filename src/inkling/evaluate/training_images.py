"""Test images that the memory was trained on: they would flatter every figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inkling.discovery.pool import look_alike
from inkling.embeddings.samples import Samples
from inkling.images.looks import UNKNOWN, looks_of
from inkling.types import IntArray

SAME_EMBEDDING = 0.9
"""Cosine from which two images may be one picture; most resized or recompressed copies lie above it."""
_CHUNK = 1024


@dataclass(frozen=True)
class TrainingImage:
    """A test image, and the exemplar that it repeats.

    Attributes
    ----------
    path, exemplar
        Paths of both.
    is_copy
        Whether the files are equal; else they are near-duplicates: much alike in embedding and perceptual hash both.
    """

    path: str
    exemplar: str
    is_copy: bool


@dataclass(frozen=True)
class TrainingImages:
    """Test images that the memory was trained on.

    Attributes
    ----------
    images
        Which, in the order of the test images.
    left_out
        Whether they were left out of all figures.
    """

    images: tuple[TrainingImage, ...] = ()
    left_out: bool = True

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the number of copies and of near-duplicates."""
        copies = sum(one.is_copy for one in self.images)
        return {
            "copies": copies,
            "near_duplicates": len(self.images) - copies,
            "left_out": self.left_out,
            "images": [asdict(one) for one in self.images],
        }


def training_images(samples: Samples, exemplars: Samples) -> tuple[IntArray, tuple[TrainingImage, ...]]:
    """Rows of test images that repeat an exemplar, and what each repeats.

    Parameters
    ----------
    samples, exemplars
        Test images, and those that the memory was trained on, of one encoder. Augmented views do not count.
    """
    known = exemplars.keep([row for row, view in enumerate(exemplars.views) if view == 0])
    by_content = {content: row for row, content in reversed(list(enumerate(known.content_hashes)))}
    copies = np.array([by_content.get(content, -1) for content in samples.content_hashes], dtype=np.int64)
    repeated = np.where(copies >= 0, copies, _near_duplicates(samples, known))
    rows = np.flatnonzero(repeated >= 0)
    told = tuple(
        TrainingImage(samples.paths[row], known.paths[repeated[row]], is_copy=bool(copies[row] >= 0)) for row in rows
    )
    return rows, told


def _near_duplicates(samples: Samples, known: Samples) -> IntArray:
    """The exemplar that each test image is a near-duplicate of, the likest of several, (n,); -1 for none."""
    found = np.full(len(samples), -1, dtype=np.int64)
    if not len(known) or not len(samples):
        return found
    looks, known_looks = looks_of(samples.thumbnails), looks_of(known.thumbnails)
    for start in range(0, len(samples), _CHUNK):
        part = slice(start, start + _CHUNK)
        cosines = samples.embeddings[part] @ known.embeddings.T
        # Without a hash of both, nothing is said to be alike.
        hashed = (looks[part, None] != UNKNOWN) & (known_looks[None] != UNKNOWN)
        alike = (cosines >= SAME_EMBEDDING) & hashed & look_alike(looks[part, None], known_looks[None])
        best = np.where(alike, cosines, -1.0).argmax(axis=1)
        found[part] = np.where(alike.any(axis=1), best, -1)
    return found
