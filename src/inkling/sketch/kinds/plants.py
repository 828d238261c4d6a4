"""Tree, flower, mushroom, cactus, flowerpot."""

from __future__ import annotations

import math

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import LEAF, WOOD
from inkling.sketch.pen import Pen, arc_points
from inkling.sketch.pose import Point


def tree(pen: Pen) -> None:
    pen.rectangle(-0.14, 0.2, 0.14, 0.98, WOOD)
    if pen.chance(0.5):
        for y, half in ((0.45, 0.75), (0.0, 0.6), (-0.4, 0.42)):
            pen.polygon([(-half, y), (0.0, y - 0.6), (half, y)], pen.main)
        return
    for x, y in ((-0.4, 0.0), (0.4, 0.0), (-0.2, -0.45), (0.25, -0.42), (0.0, -0.1)):
        pen.circle(x + pen.vary(-0.05, 0.05), y, pen.vary(0.38, 0.46), pen.main)


def flower(pen: Pen) -> None:
    pen.line([(0.0, -0.2), (pen.vary(-0.1, 0.1), 0.4), (0.0, 1.0)], 0.09, LEAF)
    for side in (-1, 1):
        pen.polygon([(0.0, 0.75), (side * 0.25, 0.42), (side * 0.6, 0.38), (side * 0.4, 0.68)], LEAF)
    _blossom(pen, 0.0, -0.4)


def _blossom(pen: Pen, x: float, y: float, *, size: float = 1.0) -> None:
    petals = pen.choose((5, 6, 7))
    turn = pen.vary(0, 2 * math.pi)
    for petal in range(petals):
        angle = turn + 2 * math.pi * petal / petals
        pen.circle(x + 0.34 * size * math.cos(angle), y + 0.34 * size * math.sin(angle), 0.22 * size, pen.main)
    pen.circle(x, y, 0.22 * size, pen.second)


def mushroom(pen: Pen) -> None:
    stem = pen.vary(0.18, 0.28)
    pen.polygon([(-stem, 0.0), (stem, 0.0), (stem + 0.1, 0.9), (-stem - 0.1, 0.9)], pen.light)
    rim = pen.vary(0.0, 0.15)
    pen.slice(0.0, rim, 0.92, pen.vary(0.8, 0.98), 180, 360, pen.main)
    for x, y in ((-0.5, -0.22), (-0.08, -0.55), (0.12, -0.15), (0.5, -0.3)):
        pen.circle(x, rim + y, pen.vary(0.08, 0.14), pen.light)


def cactus(pen: Pen) -> None:
    half, top = pen.vary(0.15, 0.2), pen.vary(-0.85, -0.7)
    left = _cactus_side(-1, half, pen.vary(-0.1, 0.2))
    right = _cactus_side(1, half, pen.vary(-0.25, 0.1))
    pen.polygon([*left, *arc_points(0.0, top, half, 0.13, 180, 360), *reversed(right)], pen.main)
    for y in (-0.6, -0.3, 0.0, 0.3):
        pen.line([(-0.05, y), (0.05, y + 0.08)], 0.05, pen.light)
    pen.polygon([(-0.42, 0.6), (0.42, 0.6), (0.32, 0.98), (-0.32, 0.98)], pen.second)


def _cactus_side(side: int, half: float, branch: float) -> list[Point]:
    """Outline of one side with its arm, from the pot upwards."""
    arm = [(half, branch + 0.14), (0.62, branch + 0.14), (0.72, branch + 0.04), (0.72, branch - 0.38)]
    tip = [(0.59, branch - 0.48), (0.46, branch - 0.38), (0.46, branch - 0.1), (half, branch - 0.1)]
    return [(side * x, y) for x, y in ((half, 0.65), *arm, *tip)]


def flowerpot(pen: Pen) -> None:
    for x, y in ((-0.42, -0.35), (0.42, -0.3), (0.0, -0.55)):
        pen.line([(0.0, 0.3), (x, y)], 0.07, LEAF)
        _blossom(pen, x, y, size=0.62)
    pen.polygon([(-0.48, 0.25), (0.48, 0.25), (0.34, 0.95), (-0.34, 0.95)], pen.second)
    pen.rectangle(-0.56, 0.18, 0.56, 0.36, pen.second)


KINDS = (
    Kind("tree", "plant", ("a trunk", "leaves"), tree),
    Kind("flower", "plant", ("petals", "leaves", "a stem"), flower),
    Kind("mushroom", "plant", ("spots", "a stem"), mushroom),
    Kind("cactus", "plant", ("spikes", "a pot"), cactus),
    Kind("flowerpot", "plant", ("petals", "a pot"), flowerpot),
)
