"""JPEG draft scaling: when it happens, and how little it changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inkling.images.decode import decode
from tests.images.pictures import encoded, photo

TOLERANCE = 2.5


@pytest.mark.parametrize(
    ("size", "shorter_side", "expected"),
    [
        ((1600, 1200), 224, (800, 600)),
        ((4032, 3024), 224, (1008, 756)),
        ((4032, 3024), 160, (504, 378)),
        ((1600, 1200), None, (1600, 1200)),
        ((1600, 1200), 601, (1600, 1200)),
        ((1600, 1200), 300, (800, 600)),
        ((1600, 1201), 224, (1600, 1201)),
        ((1604, 1204), 100, (401, 301)),
    ],
)
def test_scale(size: tuple[int, int], shorter_side: int | None, expected: tuple[int, int]) -> None:
    data = encoded(Image.new("RGB", size, "teal"), "JPEG")
    assert decode(data, shorter_side=shorter_side).size == expected


def test_other_formats_stay_at_full_size() -> None:
    assert decode(encoded(photo(size=(800, 800)), "PNG"), shorter_side=10).size == (800, 800)


def test_tolerance_on_noise() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (960, 1280, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels), "JPEG", quality=90)
    assert 0 < _change(data, 224) < TOLERANCE


def test_tolerance_on_photographs(shared: Path) -> None:
    files = sorted((shared / "data" / "coco_crops" / "few_shot" / "train").rglob("*.jpg"))
    changes = [_change(path.read_bytes(), 32) for path in files]
    scaled = [change for change in changes if change > 0]
    assert len(scaled) >= 5
    assert max(scaled) < TOLERANCE
    assert np.mean(scaled) < 1


def _change(data: bytes, shorter_side: int) -> float:
    """Mean change of the prepared pixels, in grey levels."""
    full = _prepared(decode(data), shorter_side)
    return float(np.abs(full - _prepared(decode(data, shorter_side=shorter_side), shorter_side)).mean())


def _prepared(image: Image.Image, side: int) -> NDArray[np.float64]:
    """Bicubic resize of the shorter side and centre crop, as CLIP prepares an image."""
    scale = side / min(image.size)
    size = tuple(max(side, int(length * scale)) for length in image.size)
    resized = image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return np.asarray(resized.crop((left, top, left + side, top + side)), dtype=np.float64)
