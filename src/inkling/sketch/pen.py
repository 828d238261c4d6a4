"""The primitives that every kind of object is drawn with, in the object's own coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from PIL import ImageDraw

from inkling.sketch.palette import Colour, Palette, mix
from inkling.sketch.pose import Point, Pose

CIRCLE = tuple((math.cos(2 * math.pi * i / 28), math.sin(2 * math.pi * i / 28)) for i in range(28))

ARC_STEP = 12.0
"""Degrees between the points of an arc."""


class Pen:
    """Draws filled shapes and strokes through a pose.

    Objects live in the square [-1, 1]², x to the right, y down. Widths of strokes are in the same units.

    Parameters
    ----------
    canvas
        The square picture drawn on.
    size
        Its side in pixels.
    pose
        From the object's coordinates to the picture's.
    palette
        The colours that the object's drawing function picks from.
    rng
        Source of the variation between instances.
    outline
        Width of the outline around filled shapes, 0 for none.
    sketchy
        Draw wobbly double lines around pale shapes instead of filling them.
    """

    def __init__(
        self,
        canvas: ImageDraw.ImageDraw,
        *,
        size: int,
        pose: Pose,
        palette: Palette,
        rng: Random,
        outline: float = 0.0,
        sketchy: bool = False,
    ) -> None:
        self.main = palette.main
        self.second = palette.second
        self.dark = palette.dark
        self.light = palette.light
        self.vary = rng.uniform
        self.choose = rng.choice
        self._rng = rng
        # The hand's tremor has its own source, so that a sketchy object is the same object as a filled one.
        self._tremor = Random(rng.getrandbits(64))
        self._canvas = canvas
        self._size = size
        self._pose = pose
        self._outline = outline
        self._sketchy = sketchy

    def chance(self, probability: float) -> bool:
        """Whether this instance has a feature that a share of all instances has."""
        return self._rng.random() < probability

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Filled polygon."""
        pixels = self._pose.project(points, size=self._size)
        if self._sketchy:
            self._canvas.polygon(pixels, fill=mix(colour, self.light, 0.82))
            self._scribble([*pixels, pixels[0]], 0.035, mix(colour, self.dark, 0.7))
            return
        self._canvas.polygon(pixels, fill=colour)
        if self._outline:
            self._canvas.line([*pixels, pixels[0]], fill=self.dark, width=self._pixels(self._outline))

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Filled rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def ellipse(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Filled ellipse around (x, y); `width` and `height` are half axes."""
        self.polygon([(x + width * cos, y + height * sin) for cos, sin in CIRCLE], colour)

    def circle(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Filled circle."""
        self.ellipse(x, y, radius, radius, colour)

    def slice(self, x: float, y: float, width: float, height: float, start: float, end: float, colour: Colour) -> None:
        """Part of an ellipse between two angles (degrees, clockwise from the right), closed by a chord."""
        self.polygon(arc_points(x, y, width, height, start, end), colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Stroke through points."""
        pixels = self._pose.project(points, size=self._size)
        if self._sketchy:
            self._scribble(pixels, width * 0.5, mix(colour, self.dark, 0.6))
            return
        joint = "curve" if len(points) > 2 else None
        self._canvas.line(pixels, fill=colour, width=self._pixels(width), joint=joint)

    def arc(self, centre: Point, half_axes: Point, angles: tuple[float, float], stroke: float, colour: Colour) -> None:
        """Stroke along an ellipse between two angles (degrees, clockwise from the right)."""
        self.line(arc_points(*centre, *half_axes, *angles), stroke, colour)

    def _scribble(self, pixels: Sequence[Point], width: float, colour: Colour) -> None:
        reach = self._size * 0.008
        for _ in range(2):
            wobbly = [(x + self._tremor.gauss(0, reach), y + self._tremor.gauss(0, reach)) for x, y in pixels]
            self._canvas.line(wobbly, fill=colour, width=self._pixels(min(width, 0.05)))

    def _pixels(self, width: float) -> int:
        return max(1, round(width * self._pose.scale * self._size / 2))


def arc_points(x: float, y: float, width: float, height: float, start: float, end: float) -> list[Point]:
    """Points along an ellipse from one angle to another, in degrees."""
    steps = max(2, round(abs(end - start) / ARC_STEP))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(x + width * math.cos(angle), y + height * math.sin(angle)) for angle in angles]
