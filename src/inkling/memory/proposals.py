"""Proposals in the memory: what discovery finds is written, what waits and what became of it is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from inkling.errors import InputError
from inkling.memory import schema
from inkling.memory.amend import Amendment, Outcome, amend_if_needed
from inkling.memory.columns import finite, json_list
from inkling.memory.discovered import OPEN, WAITING, WITHDRAWN, Finding, Proposal, StreamState
from inkling.memory.events import DISCOVER, Event
from inkling.memory.opened import seeing
from inkling.memory.streams import write_stream

EDITING = ("merge", "split", "move")
"""Verbs after which a proposal is as a person wants it; one with a given name is, too."""
SUCCEEDS = 0.5
"""Overlap of members (intersection over union) from which a new proposal takes the place of a withdrawn one."""


def write_proposals(
    path: str | Path,
    findings: Sequence[Finding],
    *,
    stream: StreamState | None = None,
    version: int | None = None,
) -> Event | None:
    """Put findings in place of the open proposals, in one transaction.

    A number always means the same images: an open proposal with exactly the members of a finding stays, all others are
    withdrawn, and where a finding shares most of its members with one of those, that one leads on to it. What a person
    decided stays as it is: proposals that were merged, split, renamed or changed by hand are kept, and findings with
    an image of those, or one that no longer waits, are left out.

    Parameters
    ----------
    path
        An existing memory.
    findings
        Clusters of pooled images; none may be in two.
    stream
        Where discovery on the stream stands after them; None leaves what is kept.
    version
        The version that the pool was read at; None where it does not matter.

    Returns
    -------
    Event
        What was logged; None where all proposals stay as they are.

    Raises
    ------
    InputError
        If a finding has no member, or a member is in two findings.
    MemoryChangedError
        If the memory has another version than `version`.
    MemoryFileError
        If there is no memory, or it cannot be written.
    """

    def change(memory: Amendment) -> Outcome:
        if stream is not None:
            write_stream(memory, stream)
        return replace_open(memory, findings)

    return amend_if_needed(path, DISCOVER, {"findings": len(findings)}, change, version=version)


def replace_open(memory: Amendment, findings: Sequence[Finding]) -> Outcome:
    """As `write_proposals`, within a transaction."""
    _check_members(findings)
    fit = _undecided(memory.connection, findings)
    before = [one for one in read_proposals(memory.connection, schema.proposal.c.state == OPEN) if not one.edited]
    with_members = {frozenset(one.finding.members): one for one in before}
    found: dict[int, Finding] = {}
    n_new = 0
    for finding in fit:
        same = with_members.get(frozenset(finding.members))
        if same is None:
            n_new += 1
            found[add_proposal(memory, finding)] = finding
        else:
            _found_again(memory, same, finding)
            found[same.id] = finding
    withdrawn = [one for one in before if one.id not in found]
    for one in withdrawn:
        close_proposal(memory, one.id, WITHDRAWN, merged_into=_successor(one, found))
    counts = {"new": n_new, "found_again": len(fit) - n_new, "decided": len(findings) - len(fit)}
    return counts | {"withdrawn": [one.id for one in withdrawn]}


def _successor(proposal: Proposal, found: Mapping[int, Finding]) -> int | None:
    """Number of the proposal that has most of the images of a withdrawn one."""
    theirs = set(proposal.finding.members)

    def overlap(number: int) -> float:
        mine = set(found[number].members)
        return len(mine & theirs) / len(mine | theirs)

    best = max(found, key=overlap, default=None)
    return best if best is not None and overlap(best) > SUCCEEDS else None


def read_proposals(connection: Connection, condition: ColumnElement[bool] | None = None) -> tuple[Proposal, ...]:
    """Proposals by number; all of them without a condition."""
    query = select(schema.proposal, is_edited().label("edited")).order_by(schema.proposal.c.id)
    rows = connection.execute(query if condition is None else query.where(condition)).mappings().all()
    members = _members(connection, [row["id"] for row in rows])
    return tuple(_proposal(dict(row), members[row["id"]]) for row in rows)


def list_proposals(path: str | Path, *, state: str | None = OPEN) -> tuple[Proposal, ...]:
    """Proposals in a state, by number; all that there ever were for None.

    Raises
    ------
    MemoryFileError
        If the file is missing, not an Inkling memory, damaged, or of a newer release.
    """
    with seeing(path) as connection:
        return read_proposals(connection, None if state is None else schema.proposal.c.state == state)


def proposals_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Proposal, ...]:
    """Proposals with these numbers, as far as there are any."""
    return read_proposals(connection, schema.proposal.c.id.in_(numbers))


def proposal_states(connection: Connection) -> dict[int, tuple[str, int | None]]:
    """State of each proposal that there ever was, and what it was merged into."""
    table = schema.proposal
    rows = connection.execute(select(table.c.id, table.c.state, table.c.merged_into)).all()
    return {number: (state, into) for number, state, into in rows}


def add_proposal(memory: Amendment, finding: Finding, *, name: str | None = None) -> int:
    """Write a new open proposal; returns its number."""
    values = {"state": OPEN, "merged_into": None, "name": name, "version": memory.version}
    (number,) = memory.rows.insert_numbered(schema.proposal, [values | _columns(finding)])
    _write_members(memory, number, finding)
    return number


def close_proposal(memory: Amendment, number: int, state: str, *, merged_into: int | None = None) -> None:
    """Say what became of a proposal."""
    memory.rows.update(schema.proposal, (number,), {"state": state, "merged_into": merged_into})


def rename_proposal(memory: Amendment, number: int, name: str) -> None:
    """Give a proposal a name."""
    memory.rows.update(schema.proposal, (number,), {"name": name})


def _found_again(memory: Amendment, proposal: Proposal, finding: Finding) -> None:
    """The same images as before; names, stability and the order among them may be others."""
    memory.rows.update(schema.proposal, (proposal.id,), _columns(finding))
    before = proposal.finding
    if (finding.members, finding.picture_of) != (before.members, before.picture_of):
        memory.rows.delete(schema.proposal_member, schema.proposal_member.c.proposal_id == proposal.id)
        _write_members(memory, proposal.id, finding)


def _write_members(memory: Amendment, number: int, finding: Finding) -> None:
    pairs = zip(finding.members, finding.picture_of, strict=True)
    memory.rows.insert(
        schema.proposal_member,
        (
            {"proposal_id": number, "pooled_id": int(one), "position": k, "picture": int(picture)}
            for k, (one, picture) in enumerate(pairs)
        ),
    )


def _columns(finding: Finding) -> dict[str, Any]:
    return {
        "size": int(finding.size),
        "stability": finite(finding.stability, what="stability of a proposal"),
        "names": json_list(finding.names, what="names of a proposal"),
        "nearest_class": finding.nearest_class,
        "distance": None if finding.distance is None else finite(finding.distance, what="distance of a proposal"),
    }


def _proposal(row: Mapping[str, Any], members: Sequence[tuple[int, str, int]]) -> Proposal:
    finding = Finding(
        members=tuple(number for number, *_ in members),
        size=row["size"],
        stability=row["stability"],
        names=tuple(json.loads(row["names"])),
        nearest_class=row["nearest_class"],
        distance=row["distance"],
        pictures=tuple(picture for *_, picture in members),
    )
    kept = {name: row[name] for name in ("id", "state", "name", "merged_into", "version")}
    return Proposal(finding=finding, images=tuple(path for _, path, _ in members), edited=bool(row["edited"]), **kept)


def _members(connection: Connection, numbers: Sequence[int]) -> dict[int, list[tuple[int, str, int]]]:
    """Number, path and picture of the members of each proposal, in their order."""
    table = schema.proposal_member
    picture = func.coalesce(table.c.picture, table.c.pooled_id)
    query = (
        select(table.c.proposal_id, table.c.pooled_id, schema.pooled.c.path, picture)
        .join(schema.pooled, schema.pooled.c.id == table.c.pooled_id)
        .where(table.c.proposal_id.in_(numbers))
        .order_by(table.c.proposal_id, table.c.position)
    )
    members: defaultdict[int, list[tuple[int, str, int]]] = defaultdict(list)
    for proposal_id, *member in connection.execute(query):
        members[proposal_id].append(tuple(member))
    return members


def edited_members(connection: Connection) -> set[int]:
    """Pooled images in open proposals that a person changed."""
    member, proposal = schema.proposal_member, schema.proposal
    query = select(member.c.pooled_id).join(
        proposal, (proposal.c.id == member.c.proposal_id) & (proposal.c.state == OPEN) & is_edited()
    )
    return set(connection.execute(query).scalars())


def is_edited() -> ColumnElement[bool]:
    """Whether a person merged, split, renamed or otherwise changed a proposal."""
    edits = select(schema.event.c.version).where(schema.event.c.verb.in_(EDITING))
    return schema.proposal.c.name.is_not(None) | schema.proposal.c.version.in_(edits)


def _check_members(findings: Sequence[Finding]) -> None:
    members = [number for finding in findings for number in finding.members]
    if not all(finding.members for finding in findings):
        raise InputError("A proposal without images was found.", remedy="Leave empty clusters out.")
    if len(set(members)) < len(members):
        raise InputError("An image is in two proposals.", remedy="Let each pooled image be of one cluster.")


def _undecided(connection: Connection, findings: Sequence[Finding]) -> list[Finding]:
    """Findings whose images all wait, and are in no proposal that a person changed."""
    pooled = schema.pooled
    free = set(connection.execute(select(pooled.c.id).where(pooled.c.state == WAITING)).scalars())
    free -= edited_members(connection)
    return [finding for finding in findings if free.issuperset(finding.members)]
