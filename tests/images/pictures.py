"""Pictures that the tests of this room encode in every way."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def photo(seed: int = 0, *, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Smooth random colours: survives JPEG nearly unchanged, and no two corners are alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file of that Pillow format."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures in grey levels."""
    assert one.size == other.size
    assert one.mode == other.mode == "RGB"
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


def stored_for(upright: Image.Image, orientation: int) -> Image.Image:
    """How a camera held that way would have stored the picture: the inverse of the turn that shows it."""
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    return upright if turn is None else upright.transpose(turn)
