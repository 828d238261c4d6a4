"""Numbers and names as the report writes them."""

from __future__ import annotations

from inkling.evaluate.uncertainty import Interval

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def percent(share: float, *, digits: int = 1) -> str:
    """0.7932 as ``79.3 %``."""
    return f"{100 * share:.{digits}f}{NARROW_SPACE}%"


def percent_interval(interval: Interval, *, between: str = "to") -> str:
    """An interval of shares as ``75.6 to 82.7 %``."""
    return f"{100 * interval.low:.1f} {between} {percent(interval.high)}"


def signed_points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign: ``+4.2``."""
    points = round(100 * difference, 1)
    return f"{MINUS if points < 0 else '+'}{abs(points):.1f}"


def loss(value: float) -> str:
    """A measure that is never negative, with three digits; a rounded -0.0 loses its sign."""
    return f"{abs(value):.3f}"


def p_value(p: float) -> str:
    """``p = 0.012``, or ``p < 0.001`` where more digits would say nothing."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 image``, ``5,000 images``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def compact(number: int) -> str:
    """A count in at most four characters: ``950``, ``12k``, ``3M``."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}" if number < 10 * size else f"{number // size}{unit}"
    return str(number)


def isolated(name: str) -> str:
    """A name of any writing direction, set apart so that it leaves the order of the text around it alone."""
    return f"{_FIRST_STRONG_ISOLATE}{name}{_POP_ISOLATE}"


def clipped(name: str, length: int) -> str:
    """The name, or its beginning and an ellipsis."""
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"
