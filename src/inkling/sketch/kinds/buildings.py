"""House, lighthouse, tent, castle, clocktower."""

from __future__ import annotations

import math

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import GLOW
from inkling.sketch.pen import Pen


def house(pen: Pen) -> None:
    eaves = pen.vary(-0.25, 0.0)
    if pen.chance(0.6):
        pen.rectangle(0.35, -0.85, 0.58, eaves, pen.dark)
    pen.rectangle(-0.75, eaves, 0.75, 0.9, pen.main)
    pen.polygon([(-0.95, eaves), (0.0, -0.95), (0.95, eaves)], pen.second)
    door = pen.vary(-0.5, 0.1)
    pen.rectangle(door, 0.35, door + 0.35, 0.9, pen.dark)
    for x in (-0.55, 0.25):
        pen.rectangle(x, eaves + 0.1, x + 0.28, eaves + 0.36, pen.light)


def lighthouse(pen: Pen) -> None:
    foot, top = pen.vary(0.38, 0.5), pen.vary(0.2, 0.28)
    bands = pen.choose((3, 4, 5))
    for band in range(bands):
        upper, lower = band / bands, (band + 1) / bands
        half_upper, half_lower = top + (foot - top) * upper, top + (foot - top) * lower
        y_upper, y_lower = -0.5 + 1.45 * upper, -0.5 + 1.45 * lower
        pen.polygon(
            [(-half_upper, y_upper), (half_upper, y_upper), (half_lower, y_lower), (-half_lower, y_lower)],
            pen.light if band % 2 else pen.main,
        )
    pen.rectangle(-0.38, -0.57, 0.38, -0.47, pen.dark)
    pen.rectangle(-0.2, -0.8, 0.2, -0.57, GLOW)
    pen.polygon([(-0.28, -0.78), (0.0, -1.0), (0.28, -0.78)], pen.main)
    if pen.chance(0.7):
        for side in (-1, 1):
            pen.polygon([(side * 0.24, -0.7), (side * 0.95, -0.9), (side * 0.95, -0.5)], GLOW)


def tent(pen: Pen) -> None:
    peak = pen.vary(-0.2, 0.2)
    pen.line([(peak - 0.07, -0.88), (peak, -0.7), (peak + 0.07, -0.88)], 0.06, pen.dark)
    pen.polygon([(-1.0, 0.7), (peak, -0.75), (1.0, 0.7)], pen.main)
    pen.polygon([(peak - 0.35, 0.7), (peak, -0.4), (peak + 0.35, 0.7)], pen.dark)
    pen.polygon([(peak, -0.4), (peak + 0.35, 0.7), (peak + 0.55, 0.7)], pen.second)
    if pen.chance(0.5):
        pen.line([(-1.0, 0.7), (-1.05, 0.85)], 0.06, pen.dark)
        pen.line([(1.0, 0.7), (1.05, 0.85)], 0.06, pen.dark)


def castle(pen: Pen) -> None:
    wall = pen.vary(-0.15, 0.05)
    pen.rectangle(-0.6, wall, 0.6, 0.9, pen.main)
    for x in (-0.35, -0.05, 0.25):
        pen.rectangle(x - 0.06, wall - 0.16, x + 0.14, wall + 0.02, pen.main)
    pointed = pen.chance(0.5)
    for x in (-0.72, 0.72):
        pen.rectangle(x - 0.26, -0.5, x + 0.26, 0.9, pen.main)
        if pointed:
            pen.polygon([(x - 0.34, -0.48), (x, -1.0), (x + 0.34, -0.48)], pen.second)
        else:
            for tooth in (-0.2, 0.0, 0.2):
                pen.rectangle(x + tooth - 0.06, -0.68, x + tooth + 0.06, -0.48, pen.main)
        pen.rectangle(x - 0.07, -0.2, x + 0.07, 0.1, pen.dark)
    pen.slice(0.0, 0.9, 0.26, 0.6, 180, 360, pen.dark)


def clocktower(pen: Pen) -> None:
    half = pen.vary(0.34, 0.44)
    pen.rectangle(-half, -0.6, half, 0.95, pen.main)
    pen.polygon([(-half - 0.1, -0.58), (0.0, -1.0), (half + 0.1, -0.58)], pen.second)
    pen.rectangle(-half - 0.08, 0.85, half + 0.08, 0.97, pen.dark)
    pen.circle(0.0, -0.18, half * 0.82, pen.light)
    _clock_hands(pen, 0.0, -0.18, half * 0.7)
    pen.slice(0.0, 0.86, 0.16, 0.42, 180, 360, pen.dark)


def _clock_hands(pen: Pen, x: float, y: float, length: float) -> None:
    for reach in (0.6, 1.0):
        angle = pen.vary(0, 2 * math.pi)
        tip = (x + length * reach * math.cos(angle), y + length * reach * math.sin(angle))
        pen.line([(x, y), tip], 0.08, pen.dark)


KINDS = (
    Kind("house", "building", ("a roof", "a door", "windows"), house),
    Kind("lighthouse", "building", ("a tower", "a light"), lighthouse),
    Kind("tent", "building", ("a door",), tent),
    Kind("castle", "building", ("a tower", "a door", "windows"), castle),
    Kind("clocktower", "building", ("a tower", "a roof", "hands"), clocktower),
)
