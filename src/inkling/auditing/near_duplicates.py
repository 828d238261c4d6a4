"""Pairs of images of one picture: by embedding and perceptual hash together, then laid over each other.

Exact, in memory that stays flat: all images are compared with all, some at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.auditing.same_picture import Overlays, correlation
from inkling.embeddings.samples import Samples
from inkling.images.looks import UNKNOWN, looks_of
from inkling.types import IntArray

SAME_EMBEDDING, DIFFERENT_BITS = 0.75, 20
"""Cosine from which, and bits of the hashes, of 64, up to which two images may be one picture."""
SAME_PICTURE = 0.96
"""Correlation from which they are: on thumbnails of Caltech-101 and of clothing, whole copies and edited ones lie above
it, other pictures of one thing below it."""
_ROWS, _COLUMNS = 1024, 16_384


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images as they are compared.

    Attributes
    ----------
    embeddings
        Unit vectors (n, d).
    looks, mirrored
        Hashes of the thumbnails and of their mirror images, (n,).
    overlays
        The thumbnails.
    """

    embeddings: NDArray[np.float32]
    looks: NDArray[np.uint64]
    mirrored: NDArray[np.uint64]
    overlays: Overlays

    @classmethod
    def of(cls, samples: Samples, rows: IntArray) -> Pictures:
        """Some of the samples."""
        pictures = [samples.thumbnails[row] for row in rows]
        looks, mirrored = looks_of(pictures), looks_of(pictures, mirrored=True)
        return cls(samples.embeddings[rows], looks, mirrored, Overlays(pictures))


@dataclass(frozen=True)
class Pair:
    """Two images of one picture.

    Attributes
    ----------
    first, second
        Places of the images.
    cosine
        Of their embeddings.
    correlation
        Of their thumbnails.
    """

    first: int
    second: int
    cosine: float
    correlation: float


def near_pairs(images: Pictures, others: Pictures | None = None) -> list[Pair]:
    """Pairs among images, or of an image and one of others.

    Parameters
    ----------
    images
        Places of `first` count here.
    others
        Places of `second` count here; None: among the images, each pair once.
    """
    there, found = images if others is None else others, []
    for first, second, cosine in _candidates(images, there, once=others is None):
        alike = correlation(images.overlays.crops(first), there.overlays.crops(second))
        if alike >= SAME_PICTURE:
            found.append(Pair(first, second, cosine, alike))
    return found


def _candidates(images: Pictures, others: Pictures, *, once: bool) -> Iterator[tuple[int, int, float]]:
    """Places and cosine of pairs that may be of one picture."""
    for top in range(0, len(images.embeddings), _ROWS):
        rows = images.embeddings[top : top + _ROWS]
        for left in range(top if once else 0, len(others.embeddings), _COLUMNS):
            cosines = rows @ others.embeddings[left : left + _COLUMNS].T
            at = np.flatnonzero(cosines.ravel() >= SAME_EMBEDDING)
            first, second = top + at // cosines.shape[1], left + at % cosines.shape[1]
            kept = _different_bits(images, first, others, second) <= DIFFERENT_BITS
            if once:
                kept &= first < second
            triples = first[kept].tolist(), second[kept].tolist(), cosines.ravel()[at[kept]].tolist()
            yield from zip(*triples, strict=True)


def _different_bits(images: Pictures, first: IntArray, others: Pictures, second: IntArray) -> IntArray:
    """In how many bits hashes differ, of the picture or of its mirror image; all where one is not known."""
    other = others.looks[second]
    plain = np.bitwise_count(images.looks[first] ^ other)
    mirrored = np.bitwise_count(images.mirrored[first] ^ other)
    unknown = (images.looks[first] == UNKNOWN) | (other == UNKNOWN)
    return np.asarray(np.where(unknown, 64, np.minimum(plain, mirrored)), dtype=np.int64)
