"""Shirt, hat."""

from __future__ import annotations

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.pen import Pen, arc_points


def shirt(pen: Pen) -> None:
    sleeve = pen.vary(-0.1, 0.15)
    half = [(0.2, -0.85), (0.5, -0.78), (1.0, sleeve), (0.72, sleeve + 0.22), (0.48, -0.25), (0.48, 0.9)]
    pen.polygon([*half, *((-x, y) for x, y in reversed(half))], pen.main)
    pen.slice(0.0, -0.86, 0.24, 0.26, 0, 180, pen.light)
    if pen.chance(0.5):
        pen.rectangle(-0.48, 0.1, 0.48, 0.35, pen.second)
        return
    for y in (-0.3, 0.1, 0.5):
        pen.circle(0.0, y, 0.06, pen.dark)


def hat(pen: Pen) -> None:
    half, top = pen.vary(0.42, 0.55), pen.vary(-0.7, -0.45)
    pen.ellipse(0.0, 0.5, 0.98, 0.2, pen.main)
    crown = arc_points(0.0, top + 0.15, half, 0.2, 180, 360)
    pen.polygon([(-half - 0.08, 0.48), *crown, (half + 0.08, 0.48)], pen.main)
    pen.rectangle(-half - 0.06, 0.2, half + 0.06, 0.42, pen.second)


KINDS = (
    Kind("shirt", "garment", ("sleeves", "a collar"), shirt),
    Kind("hat", "garment", ("a rim", "a ribbon"), hat),
)
