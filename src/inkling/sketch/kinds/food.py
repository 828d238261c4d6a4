"""Apple, carrot."""

from __future__ import annotations

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import LEAF, WOOD
from inkling.sketch.pen import Pen, arc_points


def apple(pen: Pen) -> None:
    pen.line([(0.0, -0.45), (pen.vary(-0.05, 0.15), -0.92)], 0.09, WOOD)
    pen.polygon([(0.08, -0.62), (0.3, -0.95), (0.62, -0.9), (0.4, -0.62)], LEAF)
    left = arc_points(-0.36, 0.15, 0.5, 0.7, 75, 310)
    right = arc_points(0.36, 0.15, 0.5, 0.7, 230, 465)
    pen.polygon([*left, (0.0, -0.38), *right, (0.0, 0.78)], pen.main)
    if pen.chance(0.6):
        pen.ellipse(-0.5, -0.08, 0.1, 0.2, pen.light)


def carrot(pen: Pen) -> None:
    for x in (-0.4, 0.0, 0.4):
        pen.polygon([(-0.06, -0.42), (x - 0.1, -0.98), (x + 0.1, -0.98), (0.06, -0.42)], LEAF)
    half = pen.vary(0.3, 0.4)
    left = [(-0.05, 0.98), (-half, -0.38), (-half * 0.6, -0.5)]
    pen.polygon([*left, *((-x, y) for x, y in reversed(left))], pen.main)
    for y, reach in ((-0.2, 0.55), (0.1, 0.4), (0.4, 0.3)):
        side = pen.choose((-1, 1))
        pen.line([(side * half * reach * 1.3, y), (side * half * reach * 0.3, y + 0.03)], 0.05, pen.dark)


KINDS = (
    Kind("apple", "food", ("a leaf", "a stem"), apple),
    Kind("carrot", "food", ("leaves",), carrot),
)
