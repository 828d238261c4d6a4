"""What was done to a picture shows in its measures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from inkling.images.appearance import MEASURES, appearance_of
from inkling.sketch.scene import draw


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


PICTURE = draw("car", seed=1)
PLAIN = dict(zip(MEASURES, appearance_of([jpeg(PICTURE)])[0], strict=True))


@pytest.mark.parametrize(
    ("measure", "less"),
    [
        ("brightness", ImageEnhance.Brightness(PICTURE).enhance(0.5)),
        ("contrast", ImageEnhance.Contrast(PICTURE).enhance(0.5)),
        ("saturation", ImageEnhance.Color(PICTURE).enhance(0.3)),
        ("sharpness", PICTURE.filter(ImageFilter.GaussianBlur(2))),
    ],
)
def test_less_of_it_is_measured(measure: str, less: Image.Image) -> None:
    found = dict(zip(MEASURES, appearance_of([jpeg(less)])[0], strict=True))
    assert found[measure] < 0.8 * PLAIN[measure]


def test_the_mean_grey_is_the_brightness() -> None:
    grey = Image.fromarray(np.full((20, 30), 77, dtype=np.uint8))
    assert appearance_of([jpeg(grey)])[0] == pytest.approx([77, 0, 0, 0], abs=1.0)


def test_missing_damaged_and_tiny_pictures_are_not_measured() -> None:
    found = appearance_of([None, b"nothing", jpeg(PICTURE.resize((2, 9))), jpeg(PICTURE)])
    assert np.isnan(found[:3]).all()
    assert np.isfinite(found[3]).all()
    assert appearance_of([]).shape == (0, len(MEASURES))
