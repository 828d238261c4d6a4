"""Star, heart, moon, cloud."""

from __future__ import annotations

import math

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.pen import Pen, arc_points


def star(pen: Pen) -> None:
    points, inner = pen.choose((5, 5, 6)), pen.vary(0.36, 0.5)
    outline = []
    for corner in range(2 * points):
        reach = inner if corner % 2 else 1.0
        angle = math.pi * corner / points - math.pi / 2
        outline.append((reach * math.cos(angle), reach * math.sin(angle)))
    pen.polygon(outline, pen.main)


def heart(pen: Pen) -> None:
    cleft = pen.vary(-0.4, -0.25)
    left = arc_points(-0.44, -0.35, 0.48, 0.45, 160, 360)
    right = arc_points(0.44, -0.35, 0.48, 0.45, 180, 380)
    pen.polygon([*left, (0.0, cleft), *right, (0.0, pen.vary(0.8, 0.98))], pen.main)


def moon(pen: Pen) -> None:
    bite = pen.vary(0.25, 0.5)
    outer = arc_points(0.0, 0.0, 0.92, 0.92, 60, 300)
    inner = arc_points(bite, 0.0, 0.92 - bite * 0.45, 0.8, 270, 90)
    pen.polygon([*outer, *inner], pen.main)
    if pen.chance(0.5):
        pen.circle(-0.65, pen.vary(-0.2, 0.2), 0.09, pen.second)


def cloud(pen: Pen) -> None:
    top = pen.vary(-0.35, -0.2)
    bumps = [
        *arc_points(-0.62, 0.2, 0.36, 0.34, 90, 260),
        *arc_points(-0.2, top, 0.42, 0.42, 190, 310),
        *arc_points(0.32, top + 0.15, 0.36, 0.36, 220, 340),
        *arc_points(0.66, 0.22, 0.32, 0.32, 280, 450),
    ]
    pen.polygon(bumps, pen.main)


KINDS = (
    Kind("star", "shape", ("points",), star),
    Kind("heart", "shape", (), heart),
    Kind("moon", "shape", (), moon),
    Kind("cloud", "shape", (), cloud),
)
