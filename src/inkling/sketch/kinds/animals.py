"""Fish, bird, cat, butterfly, spider, snail, starfish."""

from __future__ import annotations

import math

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.palette import FLAME
from inkling.sketch.pen import Pen, arc_points
from inkling.sketch.pose import Point


def fish(pen: Pen) -> None:
    height = pen.vary(0.36, 0.52)
    pen.polygon([(-0.5, 0.0), (-0.98, -0.42), (-0.86, 0.0), (-0.98, 0.42)], pen.second)
    pen.polygon([(-0.2, -height * 0.8), (0.05, -height - 0.25), (0.3, -height * 0.8)], pen.second)
    pen.ellipse(0.15, 0.0, 0.8, height, pen.main)
    if pen.chance(0.6):
        for x in (-0.2, 0.05):
            pen.arc((x, 0.0), (0.12, height * 0.7), (-80, 80), 0.06, pen.second)
    pen.circle(0.6, -0.1, 0.1, pen.light)
    pen.circle(0.62, -0.1, 0.05, pen.dark)


def bird(pen: Pen) -> None:
    for x in (-0.05, 0.2):
        pen.line([(x, 0.4), (x + 0.05, 0.95)], 0.06, pen.dark)
        pen.line([(x - 0.08, 0.95), (x + 0.2, 0.95)], 0.05, pen.dark)
    pen.polygon([(-0.45, 0.0), (-1.0, -0.1), (-0.95, 0.22), (-0.4, 0.3)], pen.main)
    pen.ellipse(0.0, 0.1, 0.58, pen.vary(0.36, 0.46), pen.main)
    pen.circle(0.5, -0.38, 0.3, pen.main)
    pen.polygon([(0.74, -0.48), (1.0, -0.34), (0.74, -0.26)], FLAME)
    pen.polygon([(-0.4, pen.vary(-0.2, 0.0)), (0.25, -0.05), (0.05, 0.35), (-0.25, 0.3)], pen.second)
    pen.circle(0.58, -0.44, 0.06, pen.dark)


def cat(pen: Pen) -> None:
    for side in (-1, 1):
        pen.polygon([(side * 0.78, -0.1), (side * 0.72, -0.95), (side * 0.15, -0.52)], pen.main)
        pen.polygon([(side * 0.64, -0.35), (side * 0.62, -0.72), (side * 0.34, -0.52)], pen.second)
    pen.ellipse(0.0, 0.1, 0.85, 0.72, pen.main)
    slit = pen.vary(0.05, 0.1)
    for side in (-1, 1):
        pen.ellipse(side * 0.34, -0.05, 0.17, 0.14, pen.light)
        pen.ellipse(side * 0.34, -0.05, slit, 0.13, pen.dark)
        for dy in (-0.06, 0.06):
            pen.line([(side * 0.3, 0.34 + dy * 0.3), (side * 1.0, 0.3 + dy * 2)], 0.03, pen.dark)
    pen.polygon([(-0.1, 0.22), (0.1, 0.22), (0.0, 0.34)], pen.dark)
    pen.line([(-0.2, 0.48), (0.0, 0.36), (0.2, 0.48)], 0.05, pen.dark)


def butterfly(pen: Pen) -> None:
    upper, lower = pen.vary(0.38, 0.46), pen.vary(0.28, 0.36)
    for side in (-1, 1):
        pen.ellipse(side * 0.5, -0.32, 0.44, upper, pen.main)
        pen.ellipse(side * 0.4, 0.42, 0.34, lower, pen.main)
        pen.circle(side * 0.55, -0.35, 0.17, pen.second)
        pen.circle(side * 0.42, 0.45, 0.12, pen.second)
        pen.line([(0.0, -0.5), (side * 0.2, -0.9)], 0.05, pen.dark)
    pen.ellipse(0.0, 0.0, 0.09, 0.62, pen.dark)


def spider(pen: Pen) -> None:
    bend = pen.vary(0.1, 0.3)
    for side in (-1, 1):
        for leg, reach in enumerate((-0.7, -0.28, 0.2, 0.65)):
            knee = (side * 0.6, reach * 0.7 - bend)
            pen.line([(0.0, 0.1 * leg - 0.15), knee, (side * 0.95, reach)], 0.06, pen.dark)
    pen.ellipse(0.0, 0.25, 0.36, 0.42, pen.main)
    pen.circle(0.0, -0.3, 0.24, pen.main)
    for side in (-1, 1):
        pen.circle(side * 0.09, -0.38, 0.06, pen.light)


def snail(pen: Pen) -> None:
    head = arc_points(0.74, 0.0, 0.22, 0.22, 180, 360)
    pen.polygon([(-1.0, 0.78), (-0.6, 0.52), (0.45, 0.45), *head, (0.95, 0.55), (0.82, 0.78)], pen.second)
    for x in (0.66, 0.86):
        pen.line([(x, -0.16), (x + 0.08, -0.6)], 0.05, pen.dark)
        pen.circle(x + 0.08, -0.6, 0.07, pen.dark)
    radius = pen.vary(0.54, 0.62)
    pen.circle(-0.15, 0.02, radius, pen.main)
    turns: list[Point] = []
    for step in range(28):
        angle, reach = step * 0.55, radius * 0.82 * (1 - step / 30)
        turns.append((-0.15 + reach * math.cos(angle), 0.02 + reach * math.sin(angle)))
    pen.line(turns, 0.07, pen.dark)


def starfish(pen: Pen) -> None:
    waist = pen.vary(0.36, 0.46)
    outline: list[Point] = []
    for arm in range(5):
        for offset, reach in ((-0.42, waist), (-0.13, 0.9), (0.0, 0.98), (0.13, 0.9)):
            angle = 2 * math.pi * arm / 5 - math.pi / 2 + offset
            outline.append((reach * math.cos(angle), reach * math.sin(angle)))
    pen.polygon(outline, pen.main)
    for arm in range(5):
        angle = 2 * math.pi * arm / 5 - math.pi / 2
        for reach in (0.4, 0.58, 0.75):
            pen.circle(reach * math.cos(angle), reach * math.sin(angle), 0.055, pen.light)
    for side in (-1, 1):
        pen.circle(side * 0.13, -0.08, 0.08, pen.light)
        pen.circle(side * 0.13, -0.08, 0.04, pen.dark)


KINDS = (
    Kind("fish", "animal", ("fins", "a tail", "an eye"), fish),
    Kind("bird", "animal", ("wings", "a beak", "legs"), bird),
    Kind("cat", "animal", ("ears", "eyes", "whiskers"), cat),
    Kind("butterfly", "animal", ("wings", "spots"), butterfly),
    Kind("spider", "animal", ("legs", "eyes"), spider),
    Kind("snail", "animal", ("eyes",), snail),
    Kind("starfish", "animal", ("points", "eyes", "spots"), starfish),
)
