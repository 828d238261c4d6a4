"""Routes of a machine-learning backend of Label Studio, whose address is that of the service and ``/label-studio``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from inkling.errors import InputError
from inkling.serving.answered import Answer
from inkling.serving.label_studio import Setup, Tasks, picture_of, prediction, read_interface
from inkling.serving.shared import Share, Shared
from inkling.serving.uploads import Upload
from inkling.types import SkippedImage

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
        answers += await _answered(share, [await _picture(share, task, interface.key) for task in some])
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
async def webhook() -> dict[str, Any]:
    """Hear of an annotation. Nothing is learned from it by itself: exported annotations are a source of images."""
    return {"status": "ignored"}


async def _picture(share: Shared, task: Any, key: str) -> Upload | SkippedImage:
    settings = share.settings
    return await share.reading(
        lambda: picture_of(task, key, files=settings.label_studio, most_bytes=settings.limits.body_bytes)
    )


async def _answered(share: Shared, pictures: list[Upload | SkippedImage]) -> list[Answer | SkippedImage]:
    """Answers in the order of the pictures."""
    uploads = [one for one in pictures if isinstance(one, Upload)]
    answers = iter(await share.answers(uploads, top=1, names=0))
    return [one if isinstance(one, SkippedImage) else next(answers) for one in pictures]
