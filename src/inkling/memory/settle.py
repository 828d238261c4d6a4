"""Pool and open proposals brought into agreement with the exemplars, after something changed those.

A training image is accepted, and in no open proposal. An image that was accepted and is a training
image of no class waits again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from inkling.memory import schema
from inkling.memory.discovered import ACCEPTED, OPEN, WAITING, WITHDRAWN
from inkling.memory.rows import Rows


def settle(rows: Rows) -> None:
    """Write states of pooled images, and take those that do not wait out of open proposals."""
    pooled, member, proposal = schema.pooled, schema.proposal_member, schema.proposal
    is_used = pooled.c.content_hash.in_(select(schema.exemplar.c.content_hash))
    wrong_states = {
        ACCEPTED: is_used & (pooled.c.state != ACCEPTED),
        WAITING: ~is_used & (pooled.c.state == ACCEPTED),
    }
    for state, wrong in wrong_states.items():
        for number in rows.connection.execute(select(pooled.c.id).where(wrong)).scalars().all():
            rows.update(pooled, (number,), {"state": state})
    strays = (
        select(member.c.proposal_id, member.c.pooled_id)
        .join(proposal, (proposal.c.id == member.c.proposal_id) & (proposal.c.state == OPEN))
        .join(pooled, (pooled.c.id == member.c.pooled_id) & (pooled.c.state != WAITING))
    )
    found = rows.connection.execute(strays).all()
    for number in sorted({number for number, _ in found}):
        take_out(rows, number, [image for of, image in found if of == number])


def take_out(rows: Rows, number: int, images: Sequence[int]) -> None:
    """Take pooled images out of an open proposal; without any image left, it is withdrawn."""
    member = schema.proposal_member
    for image in images:
        rows.delete(member, (member.c.proposal_id == number) & (member.c.pooled_id == image))
    resize(rows, number)


def resize(rows: Rows, number: int) -> None:
    """Write how many different pictures a proposal has; one without is withdrawn."""
    size = n_pictures(rows, number)
    rows.update(schema.proposal, (number,), {"size": size} if size else {"size": 0, "state": WITHDRAWN})


def n_pictures(rows: Rows, number: int) -> int:
    """Different pictures among the images of a proposal."""
    member = schema.proposal_member
    picture = func.coalesce(member.c.picture, member.c.pooled_id)
    query = select(func.count(picture.distinct())).where(member.c.proposal_id == number)
    return int(rows.connection.execute(query).scalar_one())
