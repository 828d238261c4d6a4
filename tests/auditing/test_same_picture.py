"""A picture is found again wherever a crop took a twentieth of it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from inkling.auditing.near_duplicates import SAME_PICTURE
from inkling.auditing.same_picture import Overlays, correlation


def busy(seed: int) -> Image.Image:
    """Patches of 8 pixels, each grey of its own."""
    small = np.random.default_rng(seed).integers(0, 256, (30, 40), dtype=np.uint8)
    return Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).convert("RGB")


def jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.mark.parametrize("left", [0.0, 0.025, 0.05])
@pytest.mark.parametrize("top", [0.0, 0.025, 0.05])
def test_a_crop_from_anywhere(left: float, top: float) -> None:
    whole = busy(1)
    crop = whole.crop((round(320 * left), round(240 * top), round(320 * (left + 0.95)), round(240 * (top + 0.95))))
    both = Overlays([jpeg(whole), jpeg(crop), jpeg(busy(2))])
    assert correlation(both.crops(0), both.crops(1)) >= SAME_PICTURE
    assert correlation(both.crops(0), both.crops(2)) < SAME_PICTURE
