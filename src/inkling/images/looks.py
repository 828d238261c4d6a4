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


def difference_hash(jpeg: bytes) -> int:
    """Which of neighbouring pixels is brighter, in a picture of 9 x 8 grey pixels: 64 bits.

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
        small = picture.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.int16)
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def looks_of(thumbnails: Sequence[bytes | None]) -> NDArray[np.uint64]:
    """Difference hashes of thumbnails, (n,); `UNKNOWN` for one that is missing or cannot be read."""
    return np.array([UNKNOWN if jpeg is None else _hash_or_unknown(jpeg) for jpeg in thumbnails], dtype=np.uint64)


def _hash_or_unknown(jpeg: bytes) -> int:
    try:
        return difference_hash(jpeg)
    except (OSError, ValueError):
        return UNKNOWN
