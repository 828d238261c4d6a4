"""Routes of the log: what was done, and the latest of it taken back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from inkling.memory.events import list_events
from inkling.payloads import event_payload
from inkling.serving.described import EVENT, answers_like
from inkling.serving.schemas import Undo
from inkling.serving.shared import Share, Writer

router = APIRouter(prefix="/v1", tags=["history"])


@router.get("/history")
async def history(share: Share, last: Annotated[int, Query(ge=1, le=10_000)] = 200) -> dict[str, Any]:
    """What was done to the memory, oldest first."""
    if share.service.begins:
        return {"memory_version": 0, "n": 0, "events": []}
    events = await share.reading(lambda: list_events(share.service.memory))
    told = [event_payload(one) for one in events[-last:]]
    return {"memory_version": told[-1]["memory_version"] if told else None, "n": len(events), "events": told}


@router.post("/undo", responses=answers_like(EVENT))
async def undo(share: Share, by: Writer, undo: Undo | None = None) -> dict[str, Any]:
    """Take back the latest decision; with the number of an event, only if that is the latest."""
    event = None if undo is None else undo.event
    service = share.service

    def change() -> dict[str, Any]:
        if service.begins and service.beginning is not None:
            return {"memory_version": 0, "event": None, "outcome": {"class": service.beginning.take_back()}}
        return event_payload(service.decisions(by=by).undo_event(event))

    return await share.changing(change)
