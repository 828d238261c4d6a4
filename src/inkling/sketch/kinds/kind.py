"""What a kind of object is: a name, a drawing function, and the words that describe it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inkling.sketch.pen import Pen


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes
    ----------
    name
        The noun that captions and class folders use.
    category
        The wider noun that it shares with other kinds.
    parts
        What can be seen of it, each with its article where one is needed: ``a roof``, ``wheels``.
    draw
        Draws one instance with a pen.
    """

    name: str
    category: str
    parts: tuple[str, ...]
    draw: Callable[[Pen], None]
