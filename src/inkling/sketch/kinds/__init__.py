"""The kinds of objects that can be drawn, by theme. One short function of primitives draws each."""

from __future__ import annotations

from inkling.sketch.kinds import animals, buildings, clothes, food, household, plants, shapes, tools, vehicles
from inkling.sketch.kinds.kind import Kind

_THEMES = (buildings, vehicles, plants, animals, shapes, tools, household, food, clothes)

BY_NAME: dict[str, Kind] = {kind.name: kind for theme in _THEMES for kind in theme.KINDS}

KINDS: tuple[str, ...] = tuple(BY_NAME)
"""All kinds."""

HELD_OUT: tuple[str, ...] = (
    "castle",
    "clocktower",
    "bicycle",
    "houseboat",
    "flowerpot",
    "snail",
    "starfish",
    "scissors",
    "anchor",
    "fishbowl",
)
"""Kinds that the embedded encoder never saw, neither as pictures nor as words."""

TRAINED: tuple[str, ...] = tuple(name for name in KINDS if name not in HELD_OUT)
"""Kinds that the embedded encoder was trained on."""
