"""Perceptual hashes: those of near-duplicates, such as a picture and a smaller copy of it, differ in few bits."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
UNKNOWN = 0
"""Stands for a picture that is not at hand; the hash of a plain surface, which tells nothing, is 0 too."""


def difference_hash(jpeg: bytes, *, mirrored: bool = False) -> int:
    """Which of neighbouring pixels is brighter, in a picture of 9 x 8 grey pixels: 64 bits.

    Parameters
    ----------
    jpeg
        The picture.
    mirrored
        Of its mirror image: plain surfaces keep that from being worked out from the hash.

    Examples
    --------
    >>> from io import BytesIO
    >>> from PIL import Image
    >>> file = BytesIO()
    >>> Image.linear_gradient("L").rotate(90).save(file, "JPEG")
    >>> f"{difference_hash(file.getvalue()):016x}"
    'ffffffffffffffff'
    """
    with Image.open(BytesIO(jpeg)) as picture:
        return hash_of_grey(picture.convert("L"), mirrored=mirrored)


def hash_of_grey(picture: Image.Image, *, mirrored: bool = False) -> int:
    """The same of a grey picture that is decoded already."""
    grey = np.asarray(picture.resize((SIDE + 1, SIDE), Image.Resampling.BOX), dtype=np.int16)
    if mirrored:
        grey = grey[:, ::-1]
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def looks_of(thumbnails: Sequence[bytes | None], *, mirrored: bool = False) -> NDArray[np.uint64]:
    """Difference hashes of thumbnails, (n,); `UNKNOWN` for one that is missing or cannot be read."""
    hashes = (UNKNOWN if jpeg is None else _hash_or_unknown(jpeg, mirrored) for jpeg in thumbnails)
    return np.fromiter(hashes, dtype=np.uint64, count=len(thumbnails))


def _hash_or_unknown(jpeg: bytes, mirrored: bool) -> int:
    try:
        return difference_hash(jpeg, mirrored=mirrored)
    except (OSError, ValueError):
        return UNKNOWN
