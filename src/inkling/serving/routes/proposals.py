"""Routes of proposals: listed, and decided about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from inkling.memory.events import Event
from inkling.memory.shown import shown_proposals
from inkling.payloads import event_payload
from inkling.review.signed import SignedDecisions
from inkling.serving.answers import proposals_answer
from inkling.serving.described import EVENT, answers_like, leads_to
from inkling.serving.schemas import Acceptance, Id, NewName, Others
from inkling.serving.shared import Share, Writer

router = APIRouter(prefix="/v1/proposals", tags=["proposals"])

State = Literal["open", "accepted", "merged", "split", "discarded", "withdrawn", "all"]


_OF_PROPOSALS = {
    "/proposals/0/id": tuple(
        f"{verb}_v1_proposals__id__{verb}_post" for verb in ("accept", "merge", "split", "rename", "discard")
    ),
    "/proposals/0/pictures/0/id": ("picture_v1_pictures__id__get", "move_v1_images__id__move_post"),
}


@router.get("", responses=leads_to(_OF_PROPOSALS))
async def list_proposals(
    share: Share,
    state: State = "open",
    loose: Annotated[int, Query(ge=0, le=1000, description="Images in no proposal to name.")] = 48,
) -> dict[str, Any]:
    """Groups of images that may be new classes, and images that wait in no group."""
    if share.service.begins:
        return {"memory_version": 0, "proposals": [], "loose": [], "n_loose": 0}
    wanted = None if state == "all" else state
    return await share.reading(
        lambda: proposals_answer(shown_proposals(share.service.memory, state=wanted, most=loose))
    )


@router.post("/{id}/accept", responses=answers_like(EVENT))
async def accept(share: Share, by: Writer, id: Id, acceptance: Acceptance) -> dict[str, Any]:
    """Make a proposal a known class, or give its images to one."""
    return await _decided(
        share,
        by,
        [id],
        lambda decide: decide.accept(id, acceptance.name, first_name=acceptance.first_name, join=acceptance.join),
    )


@router.post("/{id}/merge", responses=answers_like(EVENT))
async def merge(share: Share, by: Writer, id: Id, others: Others) -> dict[str, Any]:
    """Make one proposal of this one and others."""
    numbers = [id, *others.proposals]
    return await _decided(share, by, numbers, lambda decide: decide.merge(numbers))


@router.post("/{id}/split", responses=answers_like(EVENT))
async def split(share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Make two proposals of one."""
    return await _decided(share, by, [id], lambda decide: decide.split(id))


@router.post("/{id}/rename", responses=answers_like(EVENT))
async def rename(share: Share, by: Writer, id: Id, new: NewName) -> dict[str, Any]:
    """Give a proposal the name that it is accepted by."""
    return await _decided(share, by, [id], lambda decide: decide.rename(id, new.name))


@router.post("/{id}/discard", responses=answers_like(EVENT))
async def discard(share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Let a proposal go; its images are not proposed again."""
    return await _decided(share, by, [id], lambda decide: decide.discard(id))


async def _decided(
    share: Share, by: str, seen: Sequence[int], decision: Callable[[SignedDecisions], Event]
) -> dict[str, Any]:
    return await share.changing(lambda: event_payload(decision(share.service.decisions(by=by, seen=seen))))
