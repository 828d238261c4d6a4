"""Routes of a machine-learning backend of Label Studio, whose address is that of the service and ``/label-studio``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request

from inkling.errors import InputError
from inkling.serving.annotations import ignored, learn, read_annotation
from inkling.serving.answered import Answer
from inkling.serving.choices import read_interface
from inkling.serving.label_studio import Event, Setup, Tasks, picture_of, prediction
from inkling.serving.problems import Problem
from inkling.serving.shared import Share, Shared, writer
from inkling.serving.uploads import Upload
from inkling.types import SkippedImage
from inkling.wording import excerpt

router = APIRouter(prefix="/label-studio", tags=["label studio"])


@router.get("/health")
async def health(share: Share) -> dict[str, Any]:
    """Whether the service takes requests."""
    share.require_ready()
    return {"status": "UP", "model_class": "Inkling"}


@router.post("/setup")
async def setup(share: Share, setup: Setup) -> dict[str, Any]:
    """Take a project on: is there a choice about a picture in its labelling interface?"""
    read_interface(setup.interface)
    return {"model_version": str(await share.reading(share.service.latest_version))}


@router.post("/predict")
async def predict(share: Share, tasks: Tasks) -> dict[str, Any]:
    """Choose a class for the picture of each task."""
    interface = read_interface(tasks.label_config)
    most = share.settings.limits.images
    answers: list[Answer | SkippedImage] = []
    for begin in range(0, len(tasks.tasks), most):
        some = tasks.tasks[begin : begin + most]
        answers += await _answered(share, [await _picture(share, task.data, interface.key) for task in some])
    skipped = [one for one in answers if isinstance(one, SkippedImage)]
    if skipped and len(skipped) == len(answers):
        error = InputError(f"None of the pictures can be read; the first: {skipped[0].reason}")
        error.skipped = tuple(skipped)
        raise error
    versions = [one.known.version for one in answers if isinstance(one, Answer)]
    return {
        "results": [prediction(one, interface) for one in answers],
        "model_version": str(max(versions, default=share.service.version)),
    }


@router.post("/webhook")
async def webhook(request: Request, share: Share, event: Event) -> dict[str, Any]:
    """Learn from an annotation that was created or updated, as one decision; say that anything else is ignored."""
    annotated = read_annotation(event)
    if isinstance(annotated, str):
        return ignored(annotated)
    by = _who(request)
    picture = await _picture(share, annotated.data, annotated.key)
    if isinstance(picture, SkippedImage):
        return ignored(picture.reason)
    files = share.settings.label_studio
    path = f"Label Studio, task {excerpt((event.task or {}).get('id'))}"
    if picture.name != annotated.key and files is not None:
        path = str(files.path(picture.name))  # by which the file is found again
    record = replace(picture.record(), path=path)
    return await share.changing(lambda: learn(share.service, record, annotated.label, by=by))


def _who(request: Request) -> str:
    """Who annotated, by the token of the webhook.

    Raises
    ------
    Problem
        If nothing may be learned.
    """
    try:
        return writer(request)
    except Problem as problem:
        raise Problem(
            problem.status_code,
            problem.kind,
            f"Nothing was learned from the annotation. {problem.detail}",
            remedy="Give the webhook the header 'Authorization' with 'Bearer TOKEN', or take annotations as an export.",
            headers=problem.headers,
        ) from None


async def _picture(share: Shared, data: Mapping[str, Any], key: str) -> Upload | SkippedImage:
    settings = share.settings
    return await share.reading(
        lambda: picture_of(data, key, files=settings.label_studio, most_bytes=settings.limits.body_bytes)
    )


async def _answered(share: Shared, pictures: list[Upload | SkippedImage]) -> list[Answer | SkippedImage]:
    """Answers in the order of the pictures."""
    uploads = [one for one in pictures if isinstance(one, Upload)]
    answers = iter(await share.answers(uploads, top=1, names=0))
    return [one if isinstance(one, SkippedImage) else next(answers) for one in pictures]
