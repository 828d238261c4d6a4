"""Pairs of images of one picture: by embedding and perceptual hash together, then laid over each other.

Embeddings that are alike come from `inkling.auditing.alike`. What embedding and hash leave is compared at a glance, by
a few grey pixels, before it is laid over each other in all the ways that crops and mirror images ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkling.auditing.aligned import same_picture
from inkling.auditing.alike import alike_pairs
from inkling.auditing.same_picture import GLANCE, Overlays, at_a_glance, best_start
from inkling.embeddings.samples import Samples
from inkling.images.looks import UNKNOWN, difference_hash
from inkling.images.thumbnails import decoded
from inkling.types import BoolArray, IntArray

SAME_EMBEDDING, DIFFERENT_BITS = 0.75, 20
"""Cosine from which, and bits of the hashes, of 64, up to which two images may be one picture."""
SAME_GLANCE, SAME_BITS = 0.98, 4
"""Correlation of 8 x 8 grey pixels from which, and bits up to which they may be whatever their embeddings are: those of
some pictures change with every encoding."""
ROUGHLY_ALIKE = 0.93
"""Correlation of thumbnails, laid over each other roughly, from which they are compared closely."""
AT_A_GLANCE = 0.65
"""Correlation of 8 x 8 grey pixels from which a pair is looked at closely: of copies cut by 5 %, 99.5 % have it."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images as they are compared.

    Attributes
    ----------
    embeddings
        Unit vectors (n, d).
    looks, mirrored
        Hashes of the thumbnails and of their mirror images, (n,); `UNKNOWN` where one is missing or damaged.
    glances
        As `at_a_glance` has them, (n, pixels).
    overlays
        The thumbnails.
    """

    embeddings: NDArray[np.float32]
    looks: NDArray[np.uint64]
    mirrored: NDArray[np.uint64]
    glances: NDArray[np.float32]
    overlays: Overlays

    @classmethod
    def of(cls, samples: Samples, rows: IntArray) -> Pictures:
        """Some of the samples."""
        pictures = [samples.thumbnails[row] for row in rows]
        looks, mirrored = np.full((2, len(rows)), UNKNOWN, dtype=np.uint64)
        glances = np.zeros((len(rows), GLANCE * GLANCE), dtype=np.float32)
        for at, jpeg in enumerate(pictures):
            if (grey := decoded(jpeg, "L")) is not None:
                looks[at], mirrored[at] = difference_hash(grey), difference_hash(grey, mirrored=True)
                glances[at] = at_a_glance(grey)
        return cls(samples.embeddings[rows], looks, mirrored, glances, Overlays(pictures))


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
    for first, second, cosine in _candidates(images, others):
        start = best_start(images.overlays.crops(first), there.overlays.crops(second))
        if start.correlation >= ROUGHLY_ALIKE:
            alike = same_picture(images.overlays.pixels(first), there.overlays.pixels(second), start)
            if alike is not None:
                found.append(Pair(first, second, cosine, alike))
    return found


def _candidates(images: Pictures, others: Pictures | None) -> Iterator[tuple[int, int, float]]:
    """Places and cosine of pairs that may be of one picture."""
    there = images if others is None else others
    known = None if others is None else others.embeddings
    if not (images.looks != UNKNOWN).any() or not (there.looks != UNKNOWN).any():
        return  # vectors alone: no pair would pass
    for first, second, cosines in alike_pairs(images.embeddings, known, least=SAME_EMBEDDING):
        kept = np.flatnonzero(_different_bits(images, first, there, second) <= DIFFERENT_BITS)
        kept = kept[_alike_at_a_glance(images, first[kept], there, second[kept])]
        yield from zip(first[kept].tolist(), second[kept].tolist(), cosines[kept].tolist(), strict=True)
    yield from _of_unlike_embeddings(images, others)


def _of_unlike_embeddings(images: Pictures, others: Pictures | None) -> Iterator[tuple[int, int, float]]:
    """The same of pairs that look all the same, or as mirror images, and have other embeddings."""
    there, seen = images if others is None else others, set()
    for glances in (images.glances, _mirrored(images.glances)):
        for first, second, _ in alike_pairs(glances, there.glances, least=SAME_GLANCE):
            kept = first < second if others is None else np.ones(len(first), dtype=bool)
            kept &= _different_bits(images, first, there, second) <= SAME_BITS
            first, second = first[kept], second[kept]
            cosines = (images.embeddings[first] * there.embeddings[second]).sum(axis=1)
            for found in zip(first.tolist(), second.tolist(), cosines.tolist(), strict=True):
                if found[2] < SAME_EMBEDDING and found[:2] not in seen:
                    seen.add(found[:2])
                    yield found


def _mirrored(glances: NDArray[np.float32]) -> NDArray[np.float32]:
    return glances.reshape(-1, GLANCE, GLANCE)[:, :, ::-1].reshape(glances.shape)


def _alike_at_a_glance(images: Pictures, first: IntArray, others: Pictures, second: IntArray) -> BoolArray:
    """Whether few grey pixels are alike, of the picture or of its mirror image."""
    one, other = images.glances[first], others.glances[second]
    return np.asarray(np.maximum((one * other).sum(axis=1), (_mirrored(one) * other).sum(axis=1)) >= AT_A_GLANCE)


def _different_bits(images: Pictures, first: IntArray, others: Pictures, second: IntArray) -> IntArray:
    """In how many bits hashes differ, of the picture or of its mirror image; all where one is not known."""
    other = others.looks[second]
    plain = np.bitwise_count(images.looks[first] ^ other)
    mirrored = np.bitwise_count(images.mirrored[first] ^ other)
    unknown = (images.looks[first] == UNKNOWN) | (other == UNKNOWN)
    return np.asarray(np.where(unknown, 64, np.minimum(plain, mirrored)), dtype=np.int64)
