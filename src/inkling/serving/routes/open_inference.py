"""Routes of the Open Inference Protocol, which KServe and the clients of Triton speak."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from inkling.errors import MissingError
from inkling.provenance import inkling_version
from inkling.serving.answered import Answer
from inkling.serving.described import INFERENCE
from inkling.serving.open_inference import EXTENSION, LENGTH_HEADER, model_answer, read_inference, told_inference
from inkling.serving.problems import Problem
from inkling.serving.shared import Share
from inkling.serving.uploads import Upload
from inkling.types import SkippedImage

EVERY_CLASS = 2**31

router = APIRouter(prefix="/v2", tags=["open inference protocol"])


@router.get("")
async def server() -> dict[str, Any]:
    """Name and version of the server."""
    return {"name": "inkling", "version": inkling_version(), "extensions": [EXTENSION]}


@router.get("/health/live")
async def live() -> dict[str, Any]:
    """Whether the server lives."""
    return {"live": True}


@router.get("/health/ready")
async def ready(share: Share) -> dict[str, Any]:
    """Whether the server is warmed up."""
    share.require_ready()
    return {"ready": True}


@router.get("/models/{name}")
async def model(share: Share, name: str) -> dict[str, Any]:
    """What the model takes and gives; its version is that of the memory."""
    _require_model(share, name)
    fitted = (await share.reading(lambda: share.service.classifier)).fitted
    return model_answer(name, share.service.version, len(fitted.classes), has_detector=fitted.detector is not None)


@router.get("/models/{name}/ready")
async def model_ready(share: Share, name: str) -> dict[str, Any]:
    """Whether the model is warmed up."""
    _require_model(share, name)
    share.require_ready()
    return {"name": name, "ready": True}


@router.post(
    "/models/{name}/infer",
    response_class=Response,
    responses={200: {"description": "Tensors.", "content": {"application/json": {}, "application/octet-stream": {}}}},
    openapi_extra=INFERENCE,
)
async def infer(request: Request, share: Share, name: str) -> Response:
    """Labels and probabilities of pictures, as tensors."""
    _require_model(share, name)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "content-encoding", "The body is compressed.", remedy="Send it as it is.")
    fitted = (await share.reading(lambda: share.service.classifier)).fitted
    body = await request.body()
    asked = read_inference(body, request.headers.get(LENGTH_HEADER), has_detector=fitted.detector is not None)
    most, n = share.settings.limits.images, len(asked.pictures)
    if not 0 < n <= most:
        raise Problem(413, "too-many", f"From 1 to {most} pictures are taken; there are {n}.")
    uploads = [Upload(f"image {number}", None, data) for number, data in enumerate(asked.pictures)]
    found = await share.answers(uploads, top=EVERY_CLASS, names=0)
    answers = [one for one in found if isinstance(one, Answer)]
    for one in found:
        if isinstance(one, SkippedImage):
            raise Problem(422, "input", f"{one.path} cannot be read: {one.reason}.")
    content, length = told_inference(name, asked, answers)
    if length is None:
        return Response(content, media_type="application/json")
    return Response(content, media_type="application/octet-stream", headers={LENGTH_HEADER: str(length)})


def _require_model(share: Share, name: str) -> None:
    if name != share.service.name:
        raise MissingError(f"There is no model '{name}'; there is '{share.service.name}'.")
