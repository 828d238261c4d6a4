"""Routes for whoever watches the service: does it live, is it ready."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

from inkling.memory.summary import memory_version
from inkling.serving.metrics import Metrics
from inkling.serving.shared import Share

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """Whether the service lives."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(share: Share) -> dict[str, Any]:
    """Whether the service is warmed up, and its memory can be read; the version that it has by now."""
    share.require_ready()
    service = share.service
    version = await share.reading(lambda: 0 if service.begins else memory_version(service.memory))
    return {"status": "ready", "memory_version": version}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Metrics.", "content": {"text/plain": {}}}},
)
async def metrics(request: Request) -> Response:
    """What is counted and timed, as Prometheus reads it."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=CONTENT_TYPE)
