"""Decisions about proposals, each within a transaction: accept, merge, split, discard, rename."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inkling.errors import InputError
from inkling.heads.base import Head
from inkling.heads.closed_form import in_both_spaces
from inkling.heads.statistics import Statistics
from inkling.memory.amend import Amendment
from inkling.memory.classes import add_class, add_exemplars, class_ids
from inkling.memory.discovered import ACCEPTED, CANNOT, DISCARDED, MERGED, MUST, SPLIT, Finding, Proposal
from inkling.memory.pool import Member, link_images, set_state, waiting_members
from inkling.memory.proposals import add_proposal, close_proposal, rename_proposal
from inkling.review.lookup import check_new_name, known_class, open_proposal
from inkling.review.refit import DetectorFitter, Step, refit
from inkling.types import ClassEntry, Exemplar, IntArray, Vectors

Splitter = Callable[[Vectors], IntArray]
"""Says of each vector which part it belongs to, 0 or 1."""


def accept(
    memory: Amendment, number: int, entry: ClassEntry, *, join: bool, detect: DetectorFitter | None
) -> dict[str, Any]:
    """Make a proposal a known class, or give its images to the one of that name that is known already."""
    proposal, name = open_proposal(memory, number), entry.name
    members = _members(memory, proposal)
    if join:
        class_id = known_class(memory, name)
    else:
        check_new_name(memory, name)
        class_id = add_class(memory, entry)
    vectors = members[0].stacked(members)
    add_exemplars(memory, class_id, [_exemplar(one, name) for one in members], vectors)
    set_state(memory, [one.id for one in members], ACCEPTED)
    close_proposal(memory, proposal.id, ACCEPTED)
    hashes = [one.image.content_hash for one in members]
    link_images(memory, MUST, [(hashes[0], other) for other in hashes[1:]])
    column = list(class_ids(memory.connection)).index(name)
    told = refit(memory, more_examples(column, vectors), detect=detect)
    outcome = {"proposal": proposal.id, "class": name, "images": len(members), "joined": join}
    return outcome | {"has_text": not join and entry.text_vector is not None} | told


def merge(memory: Amendment, numbers: Sequence[int]) -> dict[str, Any]:
    """Make one proposal of several; their numbers lead on to it."""
    proposals = list({one.id: one for one in (open_proposal(memory, number) for number in numbers)}.values())
    if len(proposals) < 2:
        raise InputError("Merging takes two different open proposals or more.", remedy="Name their numbers.")
    largest = max(proposals, key=lambda one: one.finding.size)
    together = Finding(
        members=tuple(number for one in proposals for number in one.finding.members),
        size=sum(one.finding.size for one in proposals),
        stability=min(one.finding.stability for one in proposals),
        names=largest.finding.names,
        nearest_class=largest.finding.nearest_class,
        distance=largest.finding.distance,
    )
    given = next((one.name for one in proposals if one.name), None)
    merged = add_proposal(memory, together, name=given)
    for one in proposals:
        close_proposal(memory, one.id, MERGED, merged_into=merged)
    central = [_members(memory, one)[0].image.content_hash for one in proposals]
    link_images(memory, MUST, [(central[0], other) for other in central[1:]])
    return {"proposal": merged, "merged": [one.id for one in proposals], "images": len(together.members)}


def split(memory: Amendment, number: int, into: Splitter) -> dict[str, Any]:
    """Make two proposals of one."""
    proposal = open_proposal(memory, number)
    members = _members(memory, proposal)
    if len(members) < 2:
        raise InputError(f"Proposal {proposal.id} has one image: there is nothing to split.")
    side = into(members[0].stacked(members))
    parts = [[one for one, k in zip(members, side, strict=True) if k == part] for part in (0, 1)]
    if not all(parts):
        raise InputError(f"The images of proposal {proposal.id} are all alike: there is nothing to split.")
    found = proposal.finding
    numbers = []
    for part in parts:
        ids = tuple(one.id for one in part)
        finding = Finding(ids, len(ids), found.stability, found.names, found.nearest_class, found.distance)
        numbers.append(add_proposal(memory, finding))
    close_proposal(memory, proposal.id, SPLIT)
    link_images(memory, CANNOT, [(parts[0][0].image.content_hash, parts[1][0].image.content_hash)])
    return {"split": proposal.id, "proposals": numbers, "images": [len(part) for part in parts]}


def discard(memory: Amendment, number: int) -> dict[str, Any]:
    """Let a proposal go: its images are not proposed again."""
    proposal = open_proposal(memory, number)
    set_state(memory, proposal.finding.members, DISCARDED)
    close_proposal(memory, proposal.id, DISCARDED)
    return {"proposal": proposal.id, "images": len(proposal.images)}


def rename(memory: Amendment, number: int, name: str) -> dict[str, Any]:
    """Give a proposal the name that it is accepted by."""
    proposal = open_proposal(memory, number)
    check_new_name(memory, name)
    if name == proposal.name:
        raise InputError(f"Proposal {proposal.id} is called '{name}' already.", remedy="Nothing was changed.")
    rename_proposal(memory, proposal.id, name)
    return {"proposal": proposal.id, "from": proposal.likely_name, "to": name}


def more_examples(column: int, vectors: Vectors) -> Step:
    """Statistics with more examples of the class in this column; the one behind the last is new."""

    def step(head: Head, statistics: Statistics) -> Statistics:
        known = statistics if column < len(statistics.counts) else statistics.with_class()
        return known.with_examples(column, *in_both_spaces(head, vectors)) if len(vectors) else known

    return step


def _members(memory: Amendment, proposal: Proposal) -> list[Member]:
    """Images of a proposal that wait, with vectors in the space in use, nearest to the centre first."""
    members = waiting_members(memory, proposal.finding.members)
    if not members:
        raise InputError(
            f"None of the images of proposal {proposal.id} waits with a vector of the memory's encoder.",
            remedy="Run 'inkling discover' again.",
        )
    return members


def _exemplar(member: Member, class_name: str) -> Exemplar:
    image = member.image
    return Exemplar(image.path, image.content_hash, class_name, thumbnail=image.thumbnail)
