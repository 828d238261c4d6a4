"""Names of classes that come in: none may be mistaken for that of a known class."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from inkling.errors import InputError


def name_key(name: str) -> str:
    """What two names share that differ by case, spaces or Unicode form alone.

    Examples
    --------
    >>> name_key("Fire  Truck") == name_key("firetruck")
    True
    """
    return "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def check_names(new: Iterable[str], known: Iterable[str]) -> None:
    """Make sure that names can become those of new classes.

    Raises
    ------
    InputError
        If one is empty, or differs from a known one or another new one by case, spaces or Unicode form at most.
    """
    taken = {name_key(name): name for name in known}
    for name in new:
        key = name_key(name)
        if not key:
            raise InputError("A class needs a name.", remedy="Give it one of at least one letter.")
        if key in taken:
            raise _taken(name, taken[key])
        taken[key] = name


def _taken(name: str, other: str) -> InputError:
    if name == other:
        return InputError(
            f"There is a class '{name}' already, and no known class is changed by the way.",
            remedy="Choose another name; to give its images to that class, accept the proposal with --join.",
        )
    return InputError(
        f"The name '{name}' differs from that of the class '{other}' by case, spaces or Unicode form alone.",
        remedy=f"Write '{other}' if that class is meant, or choose a name that nobody can mistake for it.",
    )
