"""Routes of single images of the memory: moved, and shown."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from inkling.errors import MissingError, UnreadableImageError
from inkling.images.decode import decode, thumbnail
from inkling.memory.shown import stored_thumbnail, waiting_path
from inkling.payloads import event_payload
from inkling.serving.described import EVENT, answers_like
from inkling.serving.schemas import Move
from inkling.serving.shared import Share, Writer, WritersOnly

router = APIRouter(prefix="/v1", tags=["images"])

SECONDS_KEPT = 3600
"""How long a browser keeps a small picture."""


@router.post("/images/{id}/move", responses=answers_like(EVENT))
async def move(share: Share, by: Writer, id: str, move: Move) -> dict[str, Any]:
    """Move one image to a class (by name), to an open proposal (by number), or to neither (null)."""
    seen = [move.to] if isinstance(move.to, int) else []
    return await share.changing(lambda: event_payload(share.service.decisions(by=by, seen=seen).move(id, move.to)))


@router.get(
    "/images/{id}/larger",
    dependencies=[WritersOnly],
    response_class=Response,
    responses={200: {"description": "A JPEG.", "content": {"image/jpeg": {}}}},
)
async def larger(share: Share, id: str) -> Response:
    """An image that waits, large enough to label by where the service has it so; else the small picture."""
    memory = share.service.memory

    def encoded() -> bytes:
        path = waiting_path(memory, id)
        found = None if path is None else share.larger.of(id, path)
        return found or _encoded_anew(stored_thumbnail(memory, id), id)

    return Response(
        await share.reading(encoded), media_type="image/jpeg", headers={"Cache-Control": "private, no-store"}
    )


@router.get(
    "/pictures/{id}",
    response_class=Response,
    responses={200: {"description": "A JPEG.", "content": {"image/jpeg": {}}}},
)
async def picture(share: Share, id: str) -> Response:
    """A small picture of an image of the memory, encoded anew."""
    jpeg = await share.reading(lambda: _encoded_anew(_stored(share, id), id))
    return Response(
        jpeg, media_type="image/jpeg", headers={"Cache-Control": f"private, max-age={SECONDS_KEPT}, immutable"}
    )


def _stored(share: Share, content_hash: str) -> bytes | None:
    """What the memory has of an image; before its first version, what was collected."""
    service = share.service
    if service.begins and service.beginning is not None:
        return service.beginning.picture(content_hash)
    return stored_thumbnail(service.memory, content_hash)


def _encoded_anew(stored: bytes | None, content_hash: str) -> bytes:
    if stored is None:
        raise MissingError(f"The memory has no picture of the image '{content_hash}'.")
    try:
        return thumbnail(decode(stored))
    except UnreadableImageError as error:
        raise MissingError(f"The picture of the image '{content_hash}' is damaged: {error.message}.") from error
