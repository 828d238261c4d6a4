"""Perceptual hashes: those of near-duplicates, such as a picture and a smaller copy of it, differ in few bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkling.images.thumbnails import decoded

SIDE = 8
UNKNOWN = 0
"""Stands for a picture that is not at hand; the hash of a plain surface, which tells nothing, is 0 too."""


def difference_hash(grey: Image.Image, *, mirrored: bool = False) -> int:
    """Which of neighbouring pixels is brighter, in a picture of 9 x 8 grey pixels: 64 bits.

    Parameters
    ----------
    grey
        The picture, of mode ``L``.
    mirrored
        Of its mirror image: plain surfaces keep that from being worked out from the hash.

    Examples
    --------
    >>> from PIL import Image
    >>> f"{difference_hash(Image.linear_gradient('L').rotate(90)):016x}"
    'ffffffffffffffff'
    """
    pixels = np.asarray(grey.resize((SIDE + 1, SIDE), Image.Resampling.BOX), dtype=np.int16)
    if mirrored:
        pixels = pixels[:, ::-1]
    return int.from_bytes(np.packbits(pixels[:, 1:] > pixels[:, :-1]).tobytes(), "big")


def looks_of(thumbnails: Sequence[bytes | None]) -> NDArray[np.uint64]:
    """Difference hashes of thumbnails, (n,); `UNKNOWN` for one that is missing or cannot be read."""
    pictures = (decoded(jpeg, "L") for jpeg in thumbnails)
    hashes = (UNKNOWN if grey is None else difference_hash(grey) for grey in pictures)
    return np.fromiter(hashes, dtype=np.uint64, count=len(thumbnails))
