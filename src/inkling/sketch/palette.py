"""Named colours, and how one picture varies them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]

HUES: dict[str, tuple[float, float, float]] = {
    "red": (0.99, 0.85, 0.85),
    "orange": (0.07, 0.90, 0.95),
    "yellow": (0.145, 0.85, 0.95),
    "green": (0.35, 0.75, 0.65),
    "blue": (0.60, 0.80, 0.85),
    "purple": (0.77, 0.65, 0.70),
    "pink": (0.92, 0.40, 0.97),
    "brown": (0.07, 0.65, 0.48),
    "grey": (0.60, 0.05, 0.55),
}
"""Hue, saturation and value in 0..1 of the colours that captions name."""

COLOURS = tuple(HUES)

LEAF: Colour = (65, 140, 65)
WOOD: Colour = (105, 72, 45)
GLOW: Colour = (250, 230, 135)
FLAME: Colour = (248, 170, 40)
WATER: Colour = (120, 185, 225)

CONTRAST = 95.0
"""Least distance in RGB between an object and its background: enough to see, not enough to make it easy."""


@dataclass(frozen=True)
class Palette:
    """The colours of one object: the one that captions name, a companion, and the two ends of the scale."""

    main: Colour
    second: Colour
    dark: Colour
    light: Colour


def shade_of(name: str, rng: Random) -> Colour:
    """One shade of a named colour, as 8-bit RGB."""
    hue, saturation, value = HUES[name]
    return _rgb(
        (hue + rng.uniform(-0.02, 0.02)) % 1.0,
        saturation * rng.uniform(0.85, 1.1),
        value * rng.uniform(0.85, 1.1),
    )


def palette_of(name: str, rng: Random) -> Palette:
    """Palette around a named main colour."""
    main = shade_of(name, rng)
    second = shade_of(rng.choice([other for other in COLOURS if other != name]), rng)
    ink, paper = rng.randint(15, 60), rng.randint(215, 250)
    return Palette(main, second, (ink, ink, ink + 10), (paper, paper, paper - 8))


def any_colour(rng: Random) -> Colour:
    """Any colour, muted or strong, none of them black."""
    return _rgb(rng.random(), rng.uniform(0.05, 0.7), rng.uniform(0.4, 1.0))


def contrasting_colour(other: Colour, rng: Random) -> Colour:
    """Any colour that lies at least `CONTRAST` away from another."""
    colour = any_colour(rng)
    while distance(colour, other) < CONTRAST:
        colour = any_colour(rng)
    return colour


def distance(first: Colour, second: Colour) -> float:
    """Euclidean distance of two RGB colours, 0..442."""
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first; 0 gives the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, min(saturation, 1.0), min(value, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)
