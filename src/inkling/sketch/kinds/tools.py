"""Key, umbrella, hammer, ladder, bell, scissors, anchor."""

from __future__ import annotations

from inkling.sketch.kinds.kind import Kind
from inkling.sketch.pen import Pen, arc_points


def key(pen: Pen) -> None:
    radius = pen.vary(0.26, 0.34)
    pen.arc((-0.62, 0.0), (radius, radius), (0, 360), 0.17, pen.main)
    pen.line([(-0.62 + radius, 0.0), (0.95, 0.0)], 0.15, pen.main)
    for x in (0.55, 0.75, 0.92)[: pen.choose((2, 3))]:
        pen.line([(x, 0.0), (x, pen.vary(0.26, 0.42))], 0.13, pen.main)


def umbrella(pen: Pen) -> None:
    pen.line([(0.0, -0.95), (0.0, 0.75)], 0.08, pen.dark)
    pen.arc((-0.16, 0.75), (0.16, 0.18), (0, 180), 0.08, pen.dark)
    rim = pen.vary(-0.1, 0.05)
    dome = arc_points(0.0, rim, 0.95, 0.85, 180, 360)
    scallops = [point for x in (0.63, 0.0, -0.63) for point in arc_points(x, rim, 0.32, 0.14, 0, -180)]
    pen.polygon([*dome, *scallops], pen.main)
    for x in (-0.32, 0.32):
        pen.line([(x, rim - 0.02), (x * 0.55, rim - 0.6), (0.0, rim - 0.85)], 0.05, pen.second)


def hammer(pen: Pen) -> None:
    pen.rectangle(-0.1, -0.5, 0.1, 0.98, pen.second)
    top, bottom = pen.vary(-0.95, -0.85), pen.vary(-0.45, -0.35)
    pen.rectangle(-0.55, top, 0.3, bottom, pen.main)
    pen.polygon([(0.3, top), (0.8, bottom - 0.02), (0.3, bottom)], pen.main)


def ladder(pen: Pen) -> None:
    foot, top = pen.vary(0.4, 0.55), pen.vary(0.28, 0.4)
    for side in (-1, 1):
        pen.line([(side * top, -0.98), (side * foot, 0.98)], 0.12, pen.main)
    steps = pen.choose((5, 6, 7))
    for step in range(steps):
        share = (step + 0.5) / steps
        half = top + (foot - top) * share
        pen.line([(-half, -0.98 + 1.96 * share), (half, -0.98 + 1.96 * share)], 0.1, pen.main)


def bell(pen: Pen) -> None:
    pen.arc((0.0, -0.82), (0.14, 0.14), (0, 360), 0.08, pen.dark)
    pen.circle(pen.vary(-0.12, 0.12), 0.78, 0.17, pen.dark)
    shoulder = pen.vary(0.4, 0.5)
    dome = arc_points(0.0, -0.25, shoulder, 0.48, 180, 360)
    waist = shoulder + 0.08
    pen.polygon([*dome, (waist, 0.3), (0.82, 0.68), (-0.82, 0.68), (-waist, 0.3)], pen.main)
    pen.line([(-0.7, 0.52), (0.7, 0.52)], 0.09, pen.second)


def scissors(pen: Pen) -> None:
    spread = pen.vary(0.22, 0.5)
    for side in (-1, 1):
        pen.polygon([(side * 0.07, 0.18), (-side * 0.07, 0.12), (side * spread, -0.98)], pen.light)
        pen.line([(0.0, 0.1), (-side * spread * 0.8, 0.45)], 0.12, pen.main)
        pen.arc((-side * (spread * 0.8 + 0.06), 0.68), (0.2, 0.25), (0, 360), 0.13, pen.main)
    pen.circle(0.0, 0.12, 0.07, pen.dark)


def anchor(pen: Pen) -> None:
    pen.arc((0.0, -0.78), (0.17, 0.17), (0, 360), 0.1, pen.main)
    pen.line([(0.0, -0.6), (0.0, 0.85)], 0.15, pen.main)
    pen.line([(-0.42, -0.35), (0.42, -0.35)], 0.13, pen.main)
    depth = pen.vary(0.65, 0.85)
    pen.arc((0.0, 0.2), (0.75, depth), (10, 170), 0.15, pen.main)
    for side in (-1, 1):
        pen.polygon([(side * 0.98, 0.42), (side * 0.7, 0.05), (side * 0.5, 0.45)], pen.main)


KINDS = (
    Kind("key", "tool", ("a ring", "teeth"), key),
    Kind("umbrella", "tool", ("a handle",), umbrella),
    Kind("hammer", "tool", ("a handle", "a head"), hammer),
    Kind("ladder", "tool", ("steps",), ladder),
    Kind("bell", "tool", ("a ring",), bell),
    Kind("scissors", "tool", ("a ring", "a handle"), scissors),
    Kind("anchor", "tool", ("a ring", "points"), anchor),
)
