"""Where and how an object stands in its picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

Point = tuple[float, float]

SMALLEST, LARGEST = 0.5, 0.9
"""Half the object's height as a share of half the picture's."""


@dataclass(frozen=True)
class Pose:
    """A mild projective map from the object's own square [-1, 1]² to the picture's square [-1, 1]².

    Attributes
    ----------
    scale
        Half the object's height as a share of half the picture's.
    stretch
        Width relative to height; negative mirrors the object.
    rotation
        Radians, clockwise since y points down.
    shear
        Sideways shift per unit of height.
    tilt
        How much nearer the right and the lower edge are than the centre (perspective).
    shift
        Where the object's centre lies.
    """

    scale: float
    stretch: float
    rotation: float
    shear: float
    tilt: Point
    shift: Point

    def project(self, points: Iterable[Point], *, size: int) -> list[Point]:
        """Pixel coordinates in a square picture of `size` pixels."""
        half = size / 2
        cos, sin = math.cos(self.rotation) * self.scale * half, math.sin(self.rotation) * self.scale * half
        xx, xy = cos * self.stretch, cos * self.shear - sin
        yx, yy = sin * self.stretch, sin * self.shear + cos
        left, top = (1 + self.shift[0]) * half, (1 + self.shift[1]) * half
        tilt_x, tilt_y = self.tilt
        projected = []
        for x, y in points:
            depth = 1 - tilt_x * x - tilt_y * y
            projected.append((left + (xx * x + xy * y) / depth, top + (yx * x + yy * y) / depth))
        return projected


def random_pose(rng: Random, *, scale: float | None = None) -> Pose:
    """A pose that keeps the object's centre, and nearly all of the object, inside the picture."""
    if scale is None:
        scale = rng.uniform(SMALLEST, LARGEST)
    room = 1.05 - scale
    return Pose(
        scale=scale,
        stretch=rng.uniform(0.8, 1.15) * rng.choice((-1, 1)),
        rotation=rng.gauss(0, math.radians(14)),
        shear=rng.uniform(-0.2, 0.2),
        tilt=(rng.uniform(-0.15, 0.15), rng.uniform(-0.15, 0.15)),
        shift=(rng.uniform(-room, room), rng.uniform(-room, room)),
    )


UPRIGHT = Pose(scale=0.8, stretch=1.0, rotation=0.0, shear=0.0, tilt=(0.0, 0.0), shift=(0.0, 0.0))
