"""Routes of known classes: listed, added, extended, renamed, taken out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from inkling.errors import InputError, MissingError
from inkling.memory.shown import ShownClasses, shown_classes
from inkling.payloads import event_payload
from inkling.serving.answers import class_answer
from inkling.serving.schemas import Id, NewName
from inkling.serving.shared import Share, Writer
from inkling.serving.uploads import read_sent, require_pictures

router = APIRouter(prefix="/v1/classes", tags=["classes"])

Exemplars = Annotated[int, Query(ge=0, le=1000, description="Images to name of each class.")]


@router.get("")
async def list_classes(share: Share, exemplars: Exemplars = 12) -> dict[str, Any]:
    """The known classes with some of their images."""
    return _told(await share.reading(lambda: shown_classes(share.service.memory, most=exemplars)))


@router.get("/{id}")
async def one_class(share: Share, id: Id, exemplars: Exemplars = 1000) -> dict[str, Any]:
    """One known class with its images."""
    shown = await share.reading(lambda: shown_classes(share.service.memory, most=exemplars, of=id))
    if not shown.classes:
        raise MissingError(f"There is no class with the number {id}.")
    return _told(shown)


@router.post("", status_code=201)
async def add_class(request: Request, share: Share, by: Writer) -> dict[str, Any]:
    """Add a class by pictures, texts, or both: fields `name` and `prompt`, and files."""
    sent = await read_sent(request, share.settings.limits)
    name, prompts = sent.text("name"), sent.texts("prompt")
    if name is None:
        raise InputError("The class has no name.", remedy="Send the field 'name'.")
    service = share.service

    def change() -> dict[str, Any]:
        images = [one.record() for one in sent.uploads] or None
        decide = service.decisions(by=by)
        return event_payload(decide.add_class(name, images=images, prompts=prompts, embedder=service.embedder()))

    return await share.changing(change)


@router.post("/{id}/images")
async def add_images(request: Request, share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Add pictures to a known class."""
    sent = await read_sent(request, share.settings.limits)
    require_pictures(sent.uploads)
    service = share.service

    def change() -> dict[str, Any]:
        name = _name_of(share, id)
        records = [one.record() for one in sent.uploads]
        event = service.decisions(by=by).update(records, [name] * len(records), embedder=service.embedder())
        if event is None:
            return {"memory_version": service.latest_version(), "event": None, "outcome": {"images": 0}}
        return event_payload(event)

    return await share.changing(change)


@router.patch("/{id}")
async def rename_class(share: Share, by: Writer, id: Id, new: NewName) -> dict[str, Any]:
    """Give a class another name."""
    return await share.changing(
        lambda: event_payload(share.service.decisions(by=by).rename(_name_of(share, id), new.name))
    )


@router.delete("/{id}")
async def remove_class(share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Take a class out, with its images."""
    return await share.changing(lambda: event_payload(share.service.decisions(by=by).remove_class(_name_of(share, id))))


def _name_of(share: Share, number: int) -> str:
    shown = shown_classes(share.service.memory, most=0, of=number)
    if not shown.classes:
        raise MissingError(f"There is no class with the number {number}.", remedy="GET /v1/classes lists them.")
    return shown.classes[0].known.name


def _told(shown: ShownClasses) -> dict[str, Any]:
    return {"memory_version": shown.version, "classes": [class_answer(one) for one in shown.classes]}
