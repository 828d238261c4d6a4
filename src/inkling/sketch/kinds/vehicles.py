"""Car, boat, rocket, plane, bicycle, houseboat."""

from __future__ import annotations

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import FLAME
from inkling.sketch.pen import Pen


def car(pen: Pen) -> None:
    roof, back, front = pen.vary(-0.55, -0.4), pen.vary(-0.6, -0.45), pen.vary(0.3, 0.5)
    pane, sill = roof + 0.1, -0.02
    pen.polygon([(back - 0.2, 0.0), (back, roof), (front, roof), (front + 0.3, 0.0)], pen.main)
    pen.polygon([(back - 0.04, sill), (back + 0.08, pane), (-0.1, pane), (-0.1, sill)], pen.light)
    pen.polygon([(0.0, sill), (0.0, pane), (front - 0.06, pane), (front + 0.14, sill)], pen.light)
    pen.polygon([(-0.98, 0.4), (-0.95, 0.0), (0.8, -0.02), (0.98, 0.15), (0.98, 0.4)], pen.main)
    for x in (-0.52, 0.52):
        pen.circle(x, 0.42, 0.24, pen.dark)
        pen.circle(x, 0.42, 0.1, pen.light)


def boat(pen: Pen) -> None:
    mast = pen.vary(-0.15, 0.1)
    pen.line([(mast, -0.98), (mast, 0.35)], 0.07, pen.dark)
    pen.polygon([(mast + 0.06, -0.92), (mast + 0.06, 0.22), (0.8, 0.22)], pen.light)
    if pen.chance(0.7):
        pen.polygon([(mast - 0.06, -0.75), (mast - 0.06, 0.22), (-0.7, 0.22)], pen.second)
    pen.polygon([(-0.95, 0.35), (0.95, 0.35), (0.6, 0.85), (-0.6, 0.85)], pen.main)


def rocket(pen: Pen) -> None:
    half = pen.vary(0.26, 0.36)
    pen.polygon([(-0.16, 0.6), (0.16, 0.6), (pen.vary(-0.1, 0.1), 1.0)], FLAME)
    for side in (-1, 1):
        pen.polygon([(side * half * 0.8, 0.15), (side * 0.72, 0.72), (side * half * 0.7, 0.62)], pen.second)
    hull = [(0.0, -0.98), (half * 0.7, -0.6), (half, -0.1), (half * 0.75, 0.62)]
    pen.polygon([*hull, *((-x, y) for x, y in reversed(hull[1:]))], pen.main)
    pen.polygon([(0.0, -0.98), (half * 0.7, -0.6), (-half * 0.7, -0.6)], pen.second)
    pen.circle(0.0, -0.25, half * 0.5, pen.light)


def plane(pen: Pen) -> None:
    sweep = pen.vary(0.15, 0.4)
    wing = [(0.25, 0.1), (-0.05 - sweep, 0.95), (-0.3 - sweep, 0.95), (-0.2, 0.1)]
    fin = [(-0.65, 0.05), (-0.9, 0.4), (-1.0, 0.4), (-0.88, 0.05)]
    for side in (-1, 1):
        pen.polygon([(x, side * y) for x, y in wing], pen.second)
        pen.polygon([(x, side * y) for x, y in fin], pen.second)
    pen.ellipse(0.0, 0.0, 0.98, 0.16, pen.main)
    pen.ellipse(0.7, 0.0, 0.13, 0.09, pen.light)
    for x in (-0.3, 0.0, 0.3):
        pen.circle(x, 0.0, 0.05, pen.dark)


def bicycle(pen: Pen) -> None:
    radius = pen.vary(0.36, 0.44)
    rear, front = (-0.55, 0.4), (0.55, 0.4)
    for x, y in (rear, front):
        pen.arc((x, y), (radius, radius), (0, 360), 0.09, pen.dark)
        pen.line([(x - radius, y), (x + radius, y)], 0.03, pen.dark)
        pen.line([(x, y - radius), (x, y + radius)], 0.03, pen.dark)
    saddle, bar, crank = (-0.25, -0.3), (0.4, -0.35), (-0.05, 0.4)
    pen.line([rear, saddle, bar, crank, rear], 0.1, pen.main)
    pen.line([crank, saddle, (-0.3, -0.45)], 0.1, pen.main)
    pen.line([front, bar, (0.36, -0.55), (0.6, -0.6)], 0.1, pen.main)
    pen.line([(-0.48, -0.47), (-0.12, -0.47)], 0.13, pen.dark)


def houseboat(pen: Pen) -> None:
    eaves, half = pen.vary(-0.35, -0.2), pen.vary(0.45, 0.58)
    pen.rectangle(-half, eaves, half, 0.35, pen.second)
    pen.polygon([(-half - 0.14, eaves), (0.0, -0.85), (half + 0.14, eaves)], pen.dark)
    pen.rectangle(-half + 0.1, eaves + 0.14, -half + 0.36, eaves + 0.4, pen.light)
    pen.rectangle(0.06, eaves + 0.14, 0.3, 0.35, pen.dark)
    pen.polygon([(-1.0, 0.33), (1.0, 0.33), (0.72, 0.82), (-0.72, 0.82)], pen.main)


KINDS = (
    Kind("car", "vehicle", ("wheels", "windows"), car),
    Kind("boat", "vehicle", ("a hull", "a sail"), boat),
    Kind("rocket", "vehicle", ("fins", "a window"), rocket),
    Kind("plane", "vehicle", ("wings", "windows"), plane),
    Kind("bicycle", "vehicle", ("wheels",), bicycle),
    Kind("houseboat", "vehicle", ("a hull", "a roof", "windows"), houseboat),
)
