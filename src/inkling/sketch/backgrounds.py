"""What lies behind the object. Each background is a square RGB picture in two colours."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from inkling.sketch.palette import Colour, mix

Background = Callable[[Random, int, Colour, Colour], Image.Image]


def plain(_rng: Random, size: int, first: Colour, _second: Colour) -> Image.Image:
    """One colour."""
    return Image.new("RGB", (size, size), first)


def gradient(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """From one colour to the other, in any direction."""
    angle = rng.uniform(0, 2 * math.pi)
    ramp = np.linspace(-0.7, 0.7, 24)
    share = np.clip(0.5 + ramp[None, :] * math.cos(angle) + ramp[:, None] * math.sin(angle), 0.0, 1.0)
    return _blend(share, size, first, second)


def striped(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """Bands of two colours, in any direction."""
    image = Image.new("RGB", (size, size), first)
    canvas = ImageDraw.Draw(image)
    angle, period = rng.uniform(0, math.pi), size * rng.uniform(0.1, 0.3)
    cos, sin = math.cos(angle), math.sin(angle)
    width, middle, bands = max(1, round(period / 2)), size / 2, math.ceil(size / period)
    for band in range(-bands, bands + 1):
        x, y = middle + band * period * cos, middle + band * period * sin
        ends = [(x - size * sin, y + size * cos), (x + size * sin, y - size * cos)]
        canvas.line(ends, fill=second, width=width)
    return image


def speckled(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """Random grains between two colours."""
    grains = rng.randint(10, 40)
    share = np.random.default_rng(rng.getrandbits(64)).random((grains, grains))
    return _blend(share, size, first, second)


def checked(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """A chequered cloth."""
    fields = rng.randint(4, 9)
    share = (np.add.outer(np.arange(fields), np.arange(fields)) % 2).astype(np.float64)
    return _blend(share, size, first, second, resample=Image.Resampling.NEAREST)


def dotted(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """Dots on a staggered grid."""
    image = Image.new("RGB", (size, size), first)
    canvas = ImageDraw.Draw(image)
    step = size / rng.randint(4, 8)
    radius = step * rng.uniform(0.18, 0.32)
    for row in range(round(size / step) + 1):
        for column in range(round(size / step) + 2):
            x, y = (column - 0.5 * (row % 2)) * step, (row + 0.5) * step
            canvas.ellipse([x - radius, y - radius, x + radius, y + radius], fill=second)
    return image


def ruled(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """Ruled paper."""
    image = Image.new("RGB", (size, size), mix(first, (255, 255, 255), 0.7))
    canvas = ImageDraw.Draw(image)
    lines, width = rng.randint(6, 12), max(1, size // 90)
    for line in range(1, lines + 1):
        y = line * size / (lines + 0.5)
        canvas.line([(0, y), (size, y)], fill=second, width=width)
        if rng.random() < 0.5:
            canvas.line([(y, 0), (y, size)], fill=second, width=width)
    return image


def cloudy(rng: Random, size: int, first: Colour, second: Colour) -> Image.Image:
    """Smooth blotches of several sizes."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    share = np.full((32, 32), 0.5)
    for cells, weight in ((4, 1.1), (8, 0.6), (16, 0.3)):
        octave = Image.fromarray(numbers.random((cells, cells), dtype=np.float32) - 0.5)
        share += weight * np.asarray(octave.resize((32, 32), Image.Resampling.BICUBIC))
    return _blend(np.clip(share, 0.0, 1.0), size, first, second)


BACKGROUNDS: dict[str, Background] = {
    "plain": plain,
    "gradient": gradient,
    "striped": striped,
    "speckled": speckled,
    "checked": checked,
    "dotted": dotted,
    "ruled": ruled,
    "cloudy": cloudy,
}


def _blend(
    share: np.ndarray,
    size: int,
    first: Colour,
    second: Colour,
    *,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> Image.Image:
    """Colours between two, `share` (n, n) in 0..1 of the second, enlarged to `size`."""
    start, end = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    pixels = np.rint(start + share[..., None] * (end - start)).astype(np.uint8)
    return Image.fromarray(pixels).resize((size, size), resample)
