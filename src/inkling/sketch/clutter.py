"""Pieces of other things, behind and before the object."""

from __future__ import annotations

import math
from random import Random

from PIL import ImageDraw

from inkling.sketch.palette import any_colour
from inkling.sketch.pose import Point


def scatter(canvas: ImageDraw.ImageDraw, *, size: int, count: int, reach: tuple[float, float], rng: Random) -> None:
    """Draw `count` blobs, patches and bars; `reach` is their half extent as a share of the picture's side."""
    for _ in range(count):
        extent = size * rng.uniform(*reach)
        corners = rng.choice((2, 3, 4, 12))
        outline = _polygon(
            (rng.uniform(0, size), rng.uniform(0, size)), extent, corners, rng.uniform(0, 2 * math.pi), rng
        )
        colour = any_colour(rng)
        if corners == 2:
            canvas.line(outline, fill=colour, width=max(1, round(extent * 0.3)))
        else:
            canvas.polygon(outline, fill=colour)


def _polygon(centre: Point, extent: float, corners: int, turn: float, rng: Random) -> list[Point]:
    squeeze = rng.uniform(0.5, 1.0)
    points = []
    for corner in range(corners):
        angle = turn + 2 * math.pi * corner / corners
        x, y = extent * math.cos(angle), extent * squeeze * math.sin(angle)
        points.append((centre[0] + x, centre[1] + y))
    return points
