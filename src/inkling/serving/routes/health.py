"""Routes for whoever watches the service: does it live, is it ready."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from inkling.serving.problems import Problem
from inkling.serving.shared import Share

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """Whether the service lives."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(share: Share) -> dict[str, Any]:
    """Whether the service is warmed up, and takes requests."""
    service = share.service
    if service.closing.is_set():
        raise Problem(503, "ending", "The service is about to end.")
    if not service.ready.is_set():
        raise Problem(503, "warming-up", "The encoder is not loaded yet.", headers={"Retry-After": "1"})
    return {"status": "ready", "memory_version": service.version}
