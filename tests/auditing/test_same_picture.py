"""How a crop or a mirror image lies over the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from inkling.auditing.same_picture import Overlays, best_start
from inkling.images.decode import thumbnail


def busy(seed: int) -> Image.Image:
    """Patches of 16 pixels, each grey of its own."""
    small = np.random.default_rng(seed).integers(0, 256, (15, 20), dtype=np.uint8)
    return Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).convert("RGB")


@pytest.mark.parametrize("left", [0.0, 0.025, 0.05])
@pytest.mark.parametrize("top", [0.0, 0.025, 0.05])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_from_anywhere(left: float, top: float, mirrored: bool) -> None:
    whole = busy(1)
    crop = whole.crop((round(320 * left), round(240 * top), round(320 * (left + 0.95)), round(240 * (top + 0.95))))
    both = Overlays([thumbnail(ImageOps.mirror(whole) if mirrored else whole), thumbnail(crop)])
    start = best_start(both.crops(0), both.crops(1))
    assert start.correlation > 0.96
    assert (start.first_is_cropped, start.mirrored) == (True, mirrored)
    across = 0.05 - left if mirrored else left
    assert start.box == pytest.approx((across, top, across + 0.95, top + 0.95), abs=1e-6)


def test_missing_pictures_are_alike_to_none() -> None:
    both = Overlays([None, thumbnail(busy(1))])
    assert best_start(both.crops(0), both.crops(1)).correlation == 0.0
