"""Cup, bottle, chair, lamp, clock, flag, fishbowl."""

from __future__ import annotations

import math

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import WATER
from inkling.sketch.pen import Pen, arc_points


def cup(pen: Pen) -> None:
    taper = pen.vary(0.0, 0.18)
    pen.arc((0.55, -0.02), (0.38, 0.34), (-100, 100), 0.14, pen.main)
    pen.polygon([(-0.65, -0.6), (0.55, -0.6), (0.55 - taper, 0.8), (-0.65 + taper, 0.8)], pen.main)
    pen.ellipse(-0.05, -0.6, 0.6, 0.15, pen.light)
    if pen.chance(0.5):
        pen.rectangle(-0.58, -0.05, 0.48, 0.2, pen.second)


def bottle(pen: Pen) -> None:
    half, shoulder = pen.vary(0.3, 0.4), pen.vary(-0.3, -0.1)
    pen.rectangle(-0.15, -0.98, 0.15, -0.8, pen.dark)
    side = [(0.12, -0.82), (0.12, shoulder - 0.25), (half, shoulder), (half, 0.95)]
    pen.polygon([*side, *((-x, y) for x, y in reversed(side))], pen.main)
    pen.rectangle(-half, shoulder + 0.25, half, shoulder + 0.75, pen.light)
    if pen.chance(0.5):
        pen.circle(0.0, shoulder + 0.5, 0.14, pen.second)


def chair(pen: Pen) -> None:
    seat, lean = pen.vary(0.1, 0.25), pen.vary(0.0, 0.15)
    for x in (-0.5, -0.25, 0.35, 0.6):
        pen.line([(x, seat), (x, 0.95)], 0.09, pen.dark)
    for x in (-0.5, -0.22):
        pen.line([(x, seat), (x - lean, -0.95)], 0.09, pen.main)
    for y in (-0.85, -0.55, -0.25):
        x = -0.36 - lean * (seat - y) / (seat + 0.95)
        pen.line([(x - 0.16, y), (x + 0.16, y)], 0.1, pen.main)
    pen.polygon([(-0.55, seat), (-0.3, seat - 0.16), (0.75, seat - 0.16), (0.65, seat + 0.06)], pen.main)


def lamp(pen: Pen) -> None:
    top, rim = pen.vary(0.25, 0.4), pen.vary(0.65, 0.8)
    pen.rectangle(-0.07, -0.2, 0.07, 0.8, pen.dark)
    pen.ellipse(0.0, 0.85, 0.42, 0.12, pen.dark)
    pen.polygon([(-top, -0.95), (top, -0.95), (rim, -0.1), (-rim, -0.1)], pen.main)
    pen.line([(rim * 0.6, -0.1), (rim * 0.6, 0.25)], 0.03, pen.dark)


def clock(pen: Pen) -> None:
    pen.circle(0.0, 0.0, 0.95, pen.main)
    pen.circle(0.0, 0.0, pen.vary(0.7, 0.8), pen.light)
    for hour in range(0, 12, pen.choose((1, 3))):
        angle = math.pi * hour / 6
        pen.circle(0.62 * math.cos(angle), 0.62 * math.sin(angle), 0.05, pen.dark)
    for reach, width in ((0.36, 0.1), (0.55, 0.07)):
        angle = pen.vary(0, 2 * math.pi)
        pen.line([(0.0, 0.0), (reach * math.cos(angle), reach * math.sin(angle))], width, pen.dark)


def flag(pen: Pen) -> None:
    pen.line([(-0.75, -0.98), (-0.75, 0.98)], 0.09, pen.dark)
    wave = pen.vary(-0.15, 0.15)
    upper = [(-0.7, -0.9), (-0.2, -0.9 + wave), (0.35, -0.9 - wave), (0.9, -0.9)]
    lower = [(x, y + 0.95) for x, y in upper]
    pen.polygon([*upper, *reversed(lower)], pen.main)
    if pen.chance(0.6):
        middle = [(x, y + 0.32) for x, y in upper]
        pen.polygon([*middle, *((x, y + 0.31) for x, y in reversed(middle))], pen.second)


def fishbowl(pen: Pen) -> None:
    level = pen.vary(-0.25, 0.0)
    glass = arc_points(0.0, 0.1, 0.85, 0.8, -55, 235)
    pen.polygon(glass, pen.light)
    pen.polygon(
        [(-0.82, level), (0.82, level), *arc_points(0.0, 0.1, 0.82, 0.77, 0, 180)],
        WATER,
    )
    x, y = pen.vary(-0.15, 0.2), pen.vary(0.2, 0.35)
    pen.polygon([(x - 0.25, y), (x - 0.5, y - 0.17), (x - 0.5, y + 0.17)], pen.main)
    pen.ellipse(x, y, 0.36, 0.2, pen.main)
    pen.circle(x + 0.2, y - 0.04, 0.05, pen.dark)
    pen.ellipse(0.0, -0.56, 0.5, 0.1, pen.second)


KINDS = (
    Kind("cup", "vessel", ("a handle", "a rim"), cup),
    Kind("bottle", "vessel", ("a label",), bottle),
    Kind("chair", "furniture", ("legs",), chair),
    Kind("lamp", "furniture", ("a shade",), lamp),
    Kind("clock", "furniture", ("hands",), clock),
    Kind("flag", "sign", ("a pole",), flag),
    Kind("fishbowl", "vessel", ("a rim", "a tail", "an eye"), fishbowl),
)
