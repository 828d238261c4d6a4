"""The route of what a page has to know before it shows anything."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from starlette.types import Scope

from inkling.memory.shown import shown_proposals
from inkling.memory.summary import summarize
from inkling.redaction import redacted
from inkling.serving.access import Access
from inkling.serving.problems import Problem
from inkling.serving.service import Service
from inkling.serving.shared import Share

router = APIRouter(prefix="/v1", tags=["health"])


@router.get("/about")
async def about(request: Request, share: Share) -> dict[str, Any]:
    """What is served, how much of it there is, and whether whoever asks may change it."""
    told = await share.reading(lambda: _told(share.service))
    settings = share.settings
    return {
        **told,
        "may_write": may_write(settings.access, request.scope),
        "group_size": settings.min_images,
        "most_images": settings.limits.images,
        "most_bytes": settings.limits.body_bytes,
    }


def may_write(access: Access, scope: Scope) -> bool:
    """Whether somebody may change the memory, be it with a token that is still to be given."""
    if access.tokens and not access.read_only:
        return True
    try:
        access.writer(scope)
    except Problem:
        return False
    return True


def shown_name(memory: str) -> str:
    """Name of a memory, without its folder and without what is secret in its address."""
    return redacted(memory) if "://" in memory else PurePath(memory).name


def _told(service: Service) -> dict[str, Any]:
    if not service.begins:
        return {"fitted": True, **_of_memory(service.memory)}
    return {
        "fitted": False,
        "memory": shown_name(service.memory),
        "memory_version": 0,
        "encoder": service.encoder.identity.name,
        "detects_unknown": False,
        "classes": 0,
        "images": 0,
        "proposals": 0,
        "loose": 0,
    }


def _of_memory(memory: str) -> dict[str, Any]:
    summary = summarize(memory)
    proposals = shown_proposals(memory, most=0)
    return {
        "memory": shown_name(memory),
        "memory_version": summary.version,
        "encoder": summary.encoder.name,
        "detects_unknown": summary.detector is not None,
        "classes": len(summary.classes),
        "images": sum(one.images for one in summary.classes),
        "proposals": len(proposals.proposals),
        "loose": proposals.n_loose,
    }
