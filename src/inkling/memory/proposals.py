"""Proposals in the memory: what discovery finds is written, what waits and what became of it is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from inkling.errors import InputError
from inkling.memory import schema
from inkling.memory.amend import Amendment, Outcome, amend
from inkling.memory.columns import finite, json_list
from inkling.memory.discovered import OPEN, WAITING, WITHDRAWN, Finding, Proposal
from inkling.memory.events import Event
from inkling.memory.opened import seeing

DISCOVER = "discover"
SAME = 0.5
"""Overlap of members (intersection over union) from which a finding is the proposal that was there before."""


def write_proposals(path: str | Path, findings: Sequence[Finding], *, version: int | None = None) -> Event:
    """Put findings in place of the open proposals, in one transaction.

    A finding that shares most of its members with an open proposal keeps that one's number and given name. Open
    proposals that were not found again are withdrawn. Proposals that were decided about stay as they are.

    Parameters
    ----------
    path
        An existing memory.
    findings
        Clusters of pooled images; none may be in two.
    version
        The version that the pool was read at.

    Raises
    ------
    InputError
        If a member is in two findings, or does not wait in the pool.
    MemoryFileError
        If there is no memory, it cannot be written, or it has another version than `version`.
    """

    def change(memory: Amendment) -> Outcome:
        return replace_open(memory, findings)

    return amend(path, DISCOVER, {"findings": len(findings)}, change, reversible=False, version=version)


def replace_open(memory: Amendment, findings: Sequence[Finding]) -> Outcome:
    """As `write_proposals`, within a transaction."""
    _check_members(memory.connection, findings)
    before = read_proposals(memory.connection, schema.proposal.c.state == OPEN)
    again = _matched(findings, before)
    for finding, number in zip(findings, again, strict=True):
        if number is None:
            add_proposal(memory, finding)
        else:
            _update(memory, number, finding)
    withdrawn = [proposal.id for proposal in before if proposal.id not in again]
    for number in withdrawn:
        close_proposal(memory, number, WITHDRAWN)
    return {"new": again.count(None), "found_again": len(findings) - again.count(None), "withdrawn": withdrawn}


def read_proposals(connection: Connection, condition: ColumnElement[bool] | None = None) -> tuple[Proposal, ...]:
    """Proposals by number; all of them without a condition."""
    query = select(schema.proposal).order_by(schema.proposal.c.id)
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
    _write_members(memory, number, finding.members)
    return number


def close_proposal(memory: Amendment, number: int, state: str, *, merged_into: int | None = None) -> None:
    """Say what became of a proposal."""
    memory.rows.update(schema.proposal, (number,), {"state": state, "merged_into": merged_into})


def rename_proposal(memory: Amendment, number: int, name: str) -> None:
    """Give a proposal a name."""
    memory.rows.update(schema.proposal, (number,), {"name": name})


def _update(memory: Amendment, number: int, finding: Finding) -> None:
    memory.rows.update(schema.proposal, (number,), _columns(finding) | {"version": memory.version})
    memory.rows.delete(schema.proposal_member, schema.proposal_member.c.proposal_id == number)
    _write_members(memory, number, finding.members)


def _write_members(memory: Amendment, number: int, members: Sequence[int]) -> None:
    memory.rows.insert(
        schema.proposal_member,
        ({"proposal_id": number, "pooled_id": int(one), "position": k} for k, one in enumerate(members)),
    )


def _columns(finding: Finding) -> dict[str, Any]:
    return {
        "size": int(finding.size),
        "stability": finite(finding.stability, what="stability of a proposal"),
        "names": json_list(finding.names, what="names of a proposal"),
        "nearest_class": finding.nearest_class,
        "distance": None if finding.distance is None else finite(finding.distance, what="distance of a proposal"),
    }


def _proposal(row: Mapping[str, Any], members: Sequence[tuple[int, str]]) -> Proposal:
    finding = Finding(
        members=tuple(number for number, _ in members),
        size=row["size"],
        stability=row["stability"],
        names=tuple(json.loads(row["names"])),
        nearest_class=row["nearest_class"],
        distance=row["distance"],
    )
    kept = {name: row[name] for name in ("id", "state", "name", "merged_into", "version")}
    return Proposal(finding=finding, images=tuple(path for _, path in members), **kept)


def _members(connection: Connection, numbers: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Number and path of the members of each proposal, in their order."""
    table = schema.proposal_member
    query = (
        select(table.c.proposal_id, table.c.pooled_id, schema.pooled.c.path)
        .join(schema.pooled, schema.pooled.c.id == table.c.pooled_id)
        .where(table.c.proposal_id.in_(numbers))
        .order_by(table.c.proposal_id, table.c.position)
    )
    members: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for proposal_id, pooled_id, path in connection.execute(query):
        members[proposal_id].append((pooled_id, path))
    return members


def _check_members(connection: Connection, findings: Sequence[Finding]) -> None:
    members = [number for finding in findings for number in finding.members]
    waiting = set(connection.execute(select(schema.pooled.c.id).where(schema.pooled.c.state == WAITING)).scalars())
    if not all(finding.members for finding in findings):
        raise InputError("A proposal without images was found.", remedy="Leave empty clusters out.")
    if len(set(members)) < len(members):
        raise InputError("An image is in two proposals.", remedy="Let each pooled image be of one cluster.")
    if strays := sorted(set(members) - waiting):
        raise InputError(
            f"These images do not wait in the pool: {', '.join(map(str, strays[:5]))}.",
            remedy="Read the pool again: they were decided about, or are not there.",
        )


def _matched(findings: Sequence[Finding], before: Sequence[Proposal]) -> list[int | None]:
    """For each finding the number of the open proposal that it is, the most alike first."""
    overlaps = []
    for k, finding in enumerate(findings):
        mine = set(finding.members)
        for proposal in before:
            theirs = set(proposal.finding.members)
            overlap = len(mine & theirs) / max(len(mine | theirs), 1)
            if overlap > SAME:
                overlaps.append((-overlap, proposal.id, k))
    again: list[int | None] = [None] * len(findings)
    for _, number, k in sorted(overlaps):
        if again[k] is None and number not in again:
            again[k] = number
    return again
