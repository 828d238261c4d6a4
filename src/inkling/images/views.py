"""Random views of an image: crops, flips and mild colour, the same ones in every run."""

from __future__ import annotations

import math
import random
from hashlib import blake2b

from PIL import Image, ImageEnhance

CROP_AREA = (0.5, 1.0)
CROP_ASPECT = (3 / 4, 4 / 3)
COLOUR = 0.15

MAX_PIXELS = 20_000_000
"""A larger picture is halved, or more, before it is varied: each step below holds two pictures more."""


def view_of(image: Image.Image, view: int, *, key: str) -> Image.Image:
    """View number `view` of an image.

    View 0 is the image itself. Every other view is a random resized crop (half to all of the area, aspect 3:4
    to 4:3, resized to a square), mirrored half of the time, with brightness, contrast and saturation changed
    by up to 15 %. It depends on `key`, `view` and the pixels alone, never on order, process or time.

    Parameters
    ----------
    image
        RGB picture.
    view
        0 or more.
    key
        The content hash of the image.
    """
    if view == 0:
        return image
    image = _reduced(image)
    draw = random.Random(blake2b(f"{key}:{view}".encode(), digest_size=8).digest())
    return _recoloured(_mirrored(_cropped(image, draw), draw), draw)


def _reduced(image: Image.Image) -> Image.Image:
    factor = math.ceil(math.sqrt(image.width * image.height / MAX_PIXELS))
    return image.reduce(factor) if factor > 1 else image


def _cropped(image: Image.Image, draw: random.Random) -> Image.Image:
    area = draw.uniform(*CROP_AREA) * image.width * image.height
    aspect = math.exp(draw.uniform(*map(math.log, CROP_ASPECT)))
    width = min(image.width, max(1, round(math.sqrt(area * aspect))))
    height = min(image.height, max(1, round(math.sqrt(area / aspect))))
    left = draw.randint(0, image.width - width)
    top = draw.randint(0, image.height - height)
    side = min(width, height)
    box = (left, top, left + width, top + height)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=box)


def _mirrored(image: Image.Image, draw: random.Random) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else image


def _recoloured(image: Image.Image, draw: random.Random) -> Image.Image:
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = change(image).enhance(draw.uniform(1 - COLOUR, 1 + COLOUR))
    return image
