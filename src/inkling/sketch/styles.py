"""The visual domains that pictures are drawn in."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from inkling.errors import InputError

Span = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """What surrounds and degrades the object.

    Attributes
    ----------
    backgrounds
        Names of the backgrounds that may occur.
    behind, before
        How many pieces of clutter lie behind and before the object.
    noise
        Standard deviation of the pixel noise, in grey levels of 255.
    exposure
        Factor on all grey levels.
    blur
        Radius of the blur, as a share of the picture's side.
    sketchy
        Share of the objects that are drawn as wobbly lines.
    """

    backgrounds: tuple[str, ...]
    behind: tuple[int, int] = (0, 0)
    before: tuple[int, int] = (0, 0)
    noise: Span = (0.0, 0.0)
    exposure: Span = (1.0, 1.0)
    blur: Span = (0.0, 0.0)
    sketchy: float = 0.0


USUAL = ("plain", "gradient", "striped", "speckled")
OTHER = ("checked", "dotted", "ruled", "cloudy")

STYLES: dict[str, Style] = {
    "clean": Style(("plain",)),
    "plain": Style(USUAL, behind=(0, 6), before=(0, 3), noise=(2, 22), exposure=(0.7, 1.15), blur=(0, 0.008)),
    "backgrounds": Style(OTHER, behind=(0, 6), before=(0, 3), noise=(2, 22), exposure=(0.7, 1.15)),
    "blurred": Style(USUAL, behind=(0, 6), before=(0, 3), noise=(2, 10), blur=(0.01, 0.025)),
    "sketchy": Style(USUAL, behind=(0, 6), before=(0, 3), noise=(2, 22), sketchy=1.0),
    "shifted": Style(OTHER, (0, 6), (0, 3), noise=(2, 16), exposure=(0.6, 1.25), blur=(0.004, 0.02), sketchy=0.5),
}
"""By name. The encoder had its first lessons on ``clean``, the bare object, and then learned ``plain``. The styles
``backgrounds``, ``blurred`` and ``sketchy`` depart from that in one respect each, ``shifted`` in all of them."""


def style_of(name: str) -> Style:
    """Look a style up.

    Raises
    ------
    InputError
        If there is no style of that name.
    """
    try:
        return STYLES[name]
    except KeyError:
        raise unknown_name("style", name, tuple(STYLES)) from None


def unknown_name(what: str, name: str, known: tuple[str, ...]) -> InputError:
    """The error for a name that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return InputError(f"There is no {what} {name!r} to draw.", remedy=f"{hint}Known: {', '.join(known)}.")
