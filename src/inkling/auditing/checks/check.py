"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject


def nothing_lacks(_: Subject) -> str | None:
    """For checks that any subject allows."""
    return None


@dataclass(frozen=True)
class Check:
    """One way to look at the images.

    Attributes
    ----------
    name
        Name in reports.
    kinds
        Of findings that it looks for.
    find
        Finds what is worth a look.
    lacks
        Why it can't be done, in a sentence; None where it can.
    """

    name: str
    kinds: tuple[str, ...]
    find: Callable[[Subject], Iterable[Finding]]
    lacks: Callable[[Subject], str | None] = nothing_lacks
