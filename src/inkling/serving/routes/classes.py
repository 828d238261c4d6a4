"""Routes of known classes: listed, added, extended, renamed, taken out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from inkling.errors import InputError, MissingError
from inkling.memory.events import list_events
from inkling.memory.shown import ShownClasses, shown_classes
from inkling.payloads import event_payload, skipped_payload
from inkling.serving.answers import begun_answer, class_answer
from inkling.serving.beginning import Beginning
from inkling.serving.described import BEGUN, EVENT, TEXT, TEXTS, answers_like, leads_to, takes_pictures
from inkling.serving.schemas import BegunName, Gathered, Id, NewName
from inkling.serving.service import Service
from inkling.serving.shared import Share, Writer, WritersOnly
from inkling.serving.uploads import read_sent, require_pictures
from inkling.wording import quoted

router = APIRouter(prefix="/v1/classes", tags=["classes"])

Exemplars = Annotated[int, Query(ge=0, le=1000, description="Images to name of each class.")]


_OF_CLASSES = {
    "/classes/0/id": (
        "one_class_v1_classes__id__get",
        "add_images_v1_classes__id__images_post",
        "rename_class_v1_classes__id__patch",
        "remove_class_v1_classes__id__delete",
    ),
    "/classes/0/exemplars/0/id": ("picture_v1_pictures__id__get", "move_v1_images__id__move_post"),
}


@router.get("", responses=leads_to(_OF_CLASSES))
async def list_classes(share: Share, exemplars: Exemplars = 12) -> dict[str, Any]:
    """The known classes with some of their images."""
    if share.service.begins:
        return await share.reading(lambda: _begun(share.service, exemplars=exemplars))
    return _told(await share.reading(lambda: shown_classes(share.service.memory, most=exemplars)))


@router.patch("/begun/{name:path}", dependencies=[WritersOnly], responses=answers_like(BEGUN))
async def rename_begun(share: Share, name: BegunName, new: NewName) -> dict[str, Any]:
    """Give a class another name that waits for a second one."""
    service = share.service

    def change() -> dict[str, Any]:
        _beginning(service, name).rename(name, new.name)
        return {**_begun(service), "event": None, "outcome": {"class": new.name, "from": name}}

    return await share.changing(change)


@router.delete("/begun/{name:path}", dependencies=[WritersOnly], responses=answers_like(BEGUN))
async def remove_begun(share: Share, name: BegunName) -> dict[str, Any]:
    """Take out a class that waits for a second one, with its images."""
    service = share.service

    def change() -> dict[str, Any]:
        _beginning(service, name).remove(name)
        return {**_begun(service), "event": None, "outcome": {"class": name}}

    return await share.changing(change)


@router.get("/{id:int}")
async def one_class(share: Share, id: Id, exemplars: Exemplars = 1000) -> dict[str, Any]:
    """One known class with its images."""
    shown = await share.reading(lambda: shown_classes(share.service.memory, most=exemplars, of=id))
    if not shown.classes:
        raise _no_class(id)
    return _told(shown)


@router.post(
    "",
    status_code=201,
    responses=answers_like(EVENT, status=201),
    openapi_extra=takes_pictures({"name": TEXT, "prompt": TEXTS}, required=("name",)),
)
async def add_class(request: Request, share: Share, by: Writer) -> dict[str, Any]:
    """Add a class by pictures, texts, or both: fields `name` and `prompt`, and files."""
    sent = await read_sent(request, share.settings.limits)
    name, prompts = sent.text("name"), sent.texts("prompt")
    if name is None:
        raise InputError("The class has no name.", remedy="Send the field 'name'.")
    service = share.service

    def change() -> dict[str, Any]:
        records, skipped = service.readable([one.record() for one in sent.uploads])
        told = {"skipped": skipped_payload(skipped)}
        if service.begins and service.beginning is not None:
            if not service.beginning.add(name, records, prompts, encoder=service.encoder):
                return {**_begun(service), "event": None, "outcome": {"class": name, "images": len(records)}, **told}
            return event_payload(list_events(service.memory)[-1]) | told
        decide, embedder = service.decisions(by=by), service.embedder()
        return event_payload(decide.add_class(name, images=records or None, prompts=prompts, embedder=embedder)) | told

    return await share.changing(change)


@router.post("/gathered", status_code=201, responses=answers_like(EVENT, status=201))
async def gather_class(share: Share, by: Writer, gathered: Gathered) -> dict[str, Any]:
    """Add a class of images that wait for a decision, in a proposal or in none; `images` are their ids."""
    decide = share.service.decisions(by=by)
    return await share.changing(lambda: event_payload(decide.gather(gathered.images, gathered.name)))


@router.post("/{id:int}/images", responses=answers_like(EVENT), openapi_extra=takes_pictures({}))
async def add_images(request: Request, share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Add pictures to a known class."""
    sent = await read_sent(request, share.settings.limits)
    require_pictures(sent.uploads)
    service = share.service

    def change() -> dict[str, Any]:
        name = _name_of(share, id)
        records, skipped = service.readable([one.record() for one in sent.uploads])
        told = {"skipped": skipped_payload(skipped)}
        event = service.decisions(by=by).update(records, [name] * len(records), embedder=service.embedder())
        if event is None:
            return {"memory_version": service.latest_version(), "event": None, "outcome": {"images": 0}, **told}
        return event_payload(event) | told

    return await share.changing(change)


@router.patch("/{id:int}", responses=answers_like(EVENT))
async def rename_class(share: Share, by: Writer, id: Id, new: NewName) -> dict[str, Any]:
    """Give a class another name."""
    return await share.changing(
        lambda: event_payload(share.service.decisions(by=by).rename(_name_of(share, id), new.name))
    )


@router.delete("/{id:int}", responses=answers_like(EVENT))
async def remove_class(share: Share, by: Writer, id: Id) -> dict[str, Any]:
    """Take a class out, with its images."""
    return await share.changing(lambda: event_payload(share.service.decisions(by=by).remove_class(_name_of(share, id))))


def _name_of(share: Share, number: int) -> str:
    shown = shown_classes(share.service.memory, most=0, of=number)
    if not shown.classes:
        raise _no_class(number)
    return shown.classes[0].known.name


def _no_class(number: int) -> MissingError:
    return MissingError(f"There is no class with the number {number}.", remedy="GET /v1/classes lists them.")


def _beginning(service: Service, name: str) -> Beginning:
    if service.beginning is None or not service.begins:
        raise MissingError(f"No class {quoted(name)} waits for a second one.", remedy="GET /v1/classes lists them.")
    return service.beginning


def _begun(service: Service, *, exemplars: int = 0) -> dict[str, Any]:
    """The classes of a memory that has no version yet."""
    collected = () if service.beginning is None else service.beginning.classes
    return {
        "memory_version": 0,
        "classes": [],
        "begun": [begun_answer(one, exemplars) for one in collected],
    }


def _told(shown: ShownClasses) -> dict[str, Any]:
    return {"memory_version": shown.version, "classes": [class_answer(one) for one in shown.classes]}
