"""What a person names, found; or told what there is instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from inkling.errors import ConflictError, MissingError
from inkling.heads.hierarchy import Hierarchy
from inkling.labels import EXTEND, check_names, name_key
from inkling.memory.amend import Amendment
from inkling.memory.classes import class_ids
from inkling.memory.discovered import MERGED, OPEN, WITHDRAWN, Proposal
from inkling.memory.heads import groups_of_classes
from inkling.memory.proposals import proposal_states, proposals_numbered
from inkling.wording import excerpt

SHOWN = 8


def open_proposal(memory: Amendment, number: int) -> Proposal:
    """The open proposal with this number, or that which it was merged into.

    Raises
    ------
    MissingError, ConflictError
        If there is none; if it was decided about.
    """
    (found,) = proposals_numbered(memory.connection, [open_number(proposal_states(memory.connection), number)])
    return found


def open_number(states: Mapping[int, tuple[str, int | None]], number: int) -> int:
    """Number of the open proposal that a number leads to.

    Parameters
    ----------
    states
        State of each proposal that there ever was, and what it was merged into.

    Raises
    ------
    MissingError, ConflictError
        As for `open_proposal`.
    """
    if number not in states:
        raise MissingError(f"There is no proposal {number}.", remedy=_open_ones(states))
    state, into = states[number]
    while state == MERGED and into is not None:
        number = into
        state, into = states[number]
    if state == WITHDRAWN and into is not None:
        raise ConflictError(
            f"Proposal {number} is not open any more: images came or went, and proposal {into} took its place.",
            remedy=f"Look at proposal {into} with 'inkling proposals', then decide about that one.",
        )
    if state != OPEN:
        raise ConflictError(f"Proposal {number} is not open any more: it was {state}.", remedy=_open_ones(states))
    return number


def known_class(memory: Amendment, name: str) -> int:
    """Number of a known class.

    Raises
    ------
    MissingError
        If there is none of that name.
    """
    ids = class_ids(memory.connection)
    if name not in ids:
        raise MissingError(f"There is no class '{name}'.", remedy=_near(name, ids))
    return ids[name]


def check_new_name(memory: Amendment, name: str, *, instead_of: str | None = None, remedy: str = EXTEND) -> None:
    """Make sure that a name can become that of another class, or of the class `instead_of`.

    Raises
    ------
    InputError
        As `inkling.labels.check_names` and `check_no_group`.
    """
    known = class_ids(memory.connection)
    if name == instead_of:
        raise ConflictError(f"The class is called '{name}' already.", remedy="Nothing was changed.")
    check_names([name], [one for one in known if one != instead_of], remedy=remedy)
    check_no_group([name], {child: group for child, group in groups_of_classes(memory).items() if group != instead_of})


def check_no_group(new: Iterable[str], parents: Mapping[str, str]) -> None:
    """Make sure that no new name of a class is that of a group of classes: an answer could mean either.

    Parameters
    ----------
    parents
        Groups that the memory keeps, by the names of children.

    Raises
    ------
    ConflictError
        If one is.
    """
    for name, group in Hierarchy(parents).groups_like(new).items():
        raise ConflictError(
            f"A class can't be called '{excerpt(name)}': the memory has a group of classes '{excerpt(group)}', and an "
            "answer could mean either.",
            remedy="Choose another name; 'inkling fit --replace --parents FILE.csv' gives a memory other groups.",
        )


def _open_ones(states: Mapping[int, tuple[str, int | None]]) -> str:
    numbers = [number for number, (state, _) in states.items() if state == OPEN]
    return (
        f"Open proposals: {_listed(map(str, numbers))}."
        if numbers
        else "No proposal is open; there is one once new classes were looked for, and found."
    )


def _near(name: str, names: Iterable[str]) -> str:
    every = list(names)
    near = [one for one in every if name_key(one) == name_key(name)] or get_close_matches(name, every, n=3)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known classes: {_listed(every)}."


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - SHOWN
    return ", ".join(every[:SHOWN]) + (f" and {more} more" if more > 0 else "")
