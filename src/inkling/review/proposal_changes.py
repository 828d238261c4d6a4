"""Decisions about proposals, each within a transaction: accept, merge, split, discard, rename."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from inkling.classifier.indistinct import texts_left_out
from inkling.errors import ConflictError, InputError
from inkling.memory.amend import Amendment
from inkling.memory.classes import add_class, add_exemplars, class_ids
from inkling.memory.discovered import ACCEPTED, DISCARDED, MERGED, SPLIT, Finding, Proposal
from inkling.memory.links import part, tie
from inkling.memory.pool import Member, set_state, waiting_members
from inkling.memory.proposals import add_proposal, close_proposal, rename_proposal
from inkling.review.lookup import check_new_name, known_class, open_proposal
from inkling.review.new_class import Prepared
from inkling.review.refit import DetectorFitter, more_examples, refit
from inkling.types import Exemplar, IntArray, Vectors

Splitter = Callable[[Vectors], IntArray]
"""Part of each vector, 0 or 1."""


def accept(
    memory: Amendment, number: int, prepared: Prepared, *, join: bool, detect: DetectorFitter | None
) -> dict[str, Any]:
    """Make a proposal a known class, or give its images to the one of that name that is known already."""
    prepared.require_space_of(memory)
    (entry,) = prepared.entries
    proposal, name = open_proposal(memory, number), entry.name
    members = members_of(memory, proposal)
    if join:
        class_id = known_class(memory, name)
    else:
        check_new_name(memory, name, remedy=_join(number, name))
        class_id = add_class(memory, entry)
    vectors = members[0].stacked(members)
    add_exemplars(memory, class_id, [exemplar_of(one, name) for one in members], vectors)
    set_state(memory, [one.id for one in members], ACCEPTED)
    close_proposal(memory, proposal.id, ACCEPTED)
    hashes = [one.image.content_hash for one in members]
    tie(memory, hashes)
    column = list(class_ids(memory.connection)).index(name)
    told = refit(memory, more_examples(column, vectors), detect=detect)
    outcome = {"proposal": proposal.id, "class": name, "images": len(members), "joined": join}
    if left := len(proposal.images) - len(members):
        outcome["without_vector"] = left
    outcome |= {"has_text": not join and entry.text_vector is not None}
    return outcome | {"texts": None if join else texts_left_out(prepared.entries)} | told


def _join(number: int, name: str) -> str:
    return (
        f"Choose another name; 'inkling accept MEMORY {number} --name {name!r} --join' gives its images to that class."
    )


def merge(memory: Amendment, numbers: Sequence[int]) -> dict[str, Any]:
    """Make one proposal of several; their numbers lead on to it."""
    proposals = list({one.id: one for one in (open_proposal(memory, number) for number in numbers)}.values())
    if len(proposals) < 2:
        raise InputError("Merging takes two different open proposals or more.", remedy="Name their numbers.")
    largest = max(proposals, key=lambda one: one.finding.size)
    together = Finding(
        members=tuple(number for one in proposals for number in one.finding.members),
        size=len({picture for one in proposals for picture in one.finding.picture_of}),
        pictures=tuple(picture for one in proposals for picture in one.finding.picture_of),
        stability=min(one.finding.stability for one in proposals),
        names=largest.finding.names,
        nearest_class=largest.finding.nearest_class,
        distance=largest.finding.distance,
    )
    given = next((one.name for one in proposals if one.name), None)
    merged = add_proposal(memory, together, name=given)
    for one in proposals:
        close_proposal(memory, one.id, MERGED, merged_into=merged)
    central = [members_of(memory, one)[0].image.content_hash for one in proposals]
    tie(memory, central)
    return {"proposal": merged, "merged": [one.id for one in proposals], "images": len(together.members)}


def split(memory: Amendment, number: int, into: Splitter) -> dict[str, Any]:
    """Make two proposals of one."""
    proposal = open_proposal(memory, number)
    members = members_of(memory, proposal)
    if len(members) < 2:
        raise InputError(f"Proposal {proposal.id} has one image: there is nothing to split.")
    side = into(members[0].stacked(members))
    parts = [[one for one, k in zip(members, side, strict=True) if k == which] for which in (0, 1)]
    if not all(parts):
        raise InputError(f"The images of proposal {proposal.id} are all alike: there is nothing to split.")
    numbers = [add_proposal(memory, _part(proposal, [one.id for one in side])) for side in parts]
    close_proposal(memory, proposal.id, SPLIT)
    part(memory, *([one.image.content_hash for one in side] for side in parts))
    return {"split": proposal.id, "proposals": numbers, "images": [len(side) for side in parts]}


def _part(proposal: Proposal, members: Sequence[int]) -> Finding:
    """Some of the images of a proposal."""
    found = proposal.finding
    picture = dict(zip(found.members, found.picture_of, strict=True))
    pictures = tuple(picture[number] for number in members)
    return replace(found, members=tuple(members), size=len(set(pictures)), pictures=pictures)


def discard(memory: Amendment, number: int) -> dict[str, Any]:
    """Let a proposal go: its images are not proposed again."""
    proposal = open_proposal(memory, number)
    set_state(memory, proposal.finding.members, DISCARDED)
    close_proposal(memory, proposal.id, DISCARDED)
    return {"proposal": proposal.id, "images": len(proposal.images)}


def rename(memory: Amendment, number: int, name: str) -> dict[str, Any]:
    """Give a proposal the name that it is accepted by."""
    proposal = open_proposal(memory, number)
    check_new_name(memory, name, remedy=_join(number, name))
    if name == proposal.name:
        raise ConflictError(f"Proposal {proposal.id} is called '{name}' already.", remedy="Nothing was changed.")
    rename_proposal(memory, proposal.id, name)
    return {"proposal": proposal.id, "from": proposal.likely_name, "to": name}


def members_of(memory: Amendment, proposal: Proposal) -> list[Member]:
    """Images of a proposal that wait, with vectors in the space in use, nearest to the centre first."""
    members = waiting_members(memory, proposal.finding.members)
    if not members:
        raise InputError(
            f"None of the images of proposal {proposal.id} waits with a vector of the memory's encoder.",
            remedy="Run 'inkling discover' again.",
        )
    return members


def exemplar_of(member: Member, class_name: str) -> Exemplar:
    """A pooled image as an exemplar of a class."""
    image = member.image
    return Exemplar(image.path, image.content_hash, class_name, thumbnail=image.thumbnail)
