"""What a memory knows, and what waits in it for a person's decision."""

from __future__ import annotations

from pathlib import Path

from inkling.errors import InputError
from inkling.memory.classes import KnownClass, list_classes
from inkling.memory.discovered import MERGED, OPEN, Proposal
from inkling.memory.events import Event, list_events
from inkling.memory.proposals import list_proposals
from inkling.review.lookup import open_number

SHOWN_NAMES = 3
LONGEST_NUMBER = 18
"""Digits that the number of a proposal may have."""


class MemoryView:
    """Reads a memory: its classes, its proposals and its history.

    Parameters
    ----------
    path
        The memory.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def proposals(self, *, state: str | None = OPEN) -> tuple[Proposal, ...]:
        """Proposals that wait for a decision, or those in another state; None for all that there ever were.

        Examples
        --------
        >>> [one.state for one in Decisions("vehicles.ink").proposals()]
        ['open', 'open']
        """
        return list_proposals(self.path, state=state)

    def classes(self) -> tuple[KnownClass, ...]:
        """The known classes, by name.

        Examples
        --------
        >>> [one.name for one in Decisions("vehicles.ink").classes()]
        ['castle', 'cat', 'tree']
        """
        return list_classes(self.path)

    def history(self) -> tuple[Event, ...]:
        """What was done to the memory, oldest first.

        Examples
        --------
        >>> [event.verb for event in Decisions("vehicles.ink").history()]
        ['fit', 'observe', 'discover']
        """
        return list_events(self.path)

    def named(self, what: str) -> int | str:
        """Which is meant where a person names a class or a proposal: a class of that name, else a proposal's number.

        ``class:3`` and ``proposal:3`` say which of the two is meant.

        Raises
        ------
        InputError
            If it is the name of a class and the number of a proposal that can be decided about.

        Examples
        --------
        >>> decide = Decisions("vehicles.ink")
        >>> decide.named("cat"), decide.named("2"), decide.named("proposal:2"), decide.named("class:2")
        ('cat', 2, 2, '2')
        """
        number = _number(what)
        if any(one.name == what for one in self.classes()):
            if number is not None and self._is_proposal(number):
                raise InputError(
                    f"'{what}' is the name of a class and the number of a proposal.",
                    remedy=f"Say which one is meant: 'class:{what}' or 'proposal:{what}'.",
                )
            return what
        if number is not None:
            return number
        kind, _, rest = what.partition(":")
        if kind == "proposal" and (number := _number(rest)) is not None:
            return number
        return rest if kind == "class" and rest else what

    def _is_proposal(self, number: int) -> bool:
        """Whether a number leads to an open proposal."""
        return any(one.id == number and one.state in (OPEN, MERGED) for one in self.proposals(state=None))

    def name_of(self, number: int, *, first_name: bool) -> str:
        """Name that a person gave to an open proposal, or else its likeliest if that is asked for.

        Raises
        ------
        InputError
            If the proposal is not open, or has no name and the likeliest is not asked for.

        Examples
        --------
        >>> Decisions("vehicles.ink").name_of(1, first_name=True)
        'car'
        """
        every = {one.id: one for one in self.proposals(state=None)}
        states = {one.id: (one.state, one.merged_into) for one in every.values()}
        proposal = every[open_number(states, number)]
        likely = ", ".join(str(one["name"]) for one in proposal.finding.names[:SHOWN_NAMES])
        if proposal.name is None and not first_name:
            of_these = ", or take the first of these with --first-name" if likely else ""
            raise InputError(
                f"Proposal {proposal.id} has no name yet{f'; it may be: {likely}' if likely else ''}.",
                remedy=f"Say what it is with --name NAME{of_these}.",
            )
        return proposal.likely_name


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else None
