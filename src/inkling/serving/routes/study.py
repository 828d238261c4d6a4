"""Routes that say how well the memory is learned, and what to label next."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from inkling.serving.shared import Share

router = APIRouter(prefix="/v1", tags=["study"])


@router.get("/state")
async def state(share: Share) -> dict[str, Any]:
    """Accuracy, calibration and confusion on images left out of fitting, and which classes need more."""
    return await share.studying(share.service.learned_state)


@router.get("/next")
async def next_to_label(share: Share, most: Annotated[int, Query(ge=1, le=500)] = 20) -> dict[str, Any]:
    """Images of the pool, the most useful to label first."""
    return await share.studying(lambda: share.service.next_to_label(most))
