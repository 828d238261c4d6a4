"""Routes that look at pictures: what is on them, and what of it is new."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from inkling.discovery.batch import GATE
from inkling.errors import InputError
from inkling.payloads import explored_payload, skipped_payload, verdict_payload
from inkling.serving.answers import predictions_answer
from inkling.serving.described import COUNT, GROUP_SIZE, PREDICTIONS, answers_like, takes_pictures
from inkling.serving.schemas import LARGEST_GROUP
from inkling.serving.shared import Share, WritersOnly
from inkling.serving.uploads import Sent, read_sent, require_pictures
from inkling.types import SkippedImage

router = APIRouter(prefix="/v1", tags=["ask"])

TOP, NAMES = 5, 3
MOST = 100


@router.post(
    "/predict",
    responses=answers_like(PREDICTIONS),
    openapi_extra=takes_pictures({"top": COUNT, "names": COUNT, "nearest": COUNT}),
)
async def predict(request: Request, share: Share) -> JSONResponse:
    """Label pictures, with calibrated probabilities."""
    sent = await read_sent(request, share.settings.limits)
    require_pictures(sent.uploads)
    top = sent.number("top", default=TOP, most=MOST)
    names = sent.number("names", default=NAMES, most=MOST)
    nearest = sent.number("nearest", default=0, most=MOST)
    answers = await share.answers(sent.uploads, top=top, names=names)
    skipped = [one for one in answers if isinstance(one, SkippedImage)]
    if len(skipped) == len(answers):
        raise _none_readable(skipped)
    # What is quick is said at once: another thread, and a model of the answer, take longer than to write it.
    told = predictions_answer(answers, nearest=0) if nearest == 0 else None
    told = told or await share.reading(lambda: predictions_answer(answers, nearest=nearest))
    return JSONResponse(request.app.state.outside.answer(told))


@router.post(
    "/observe",
    dependencies=[WritersOnly],
    openapi_extra=takes_pictures({"top": COUNT, "names": COUNT, "min_images": GROUP_SIZE}),
)
async def observe(request: Request, share: Share) -> dict[str, Any]:
    """Label pictures, keep what is unlike the known classes, and propose new classes."""
    sent = await read_sent(request, share.settings.limits)
    require_pictures(sent.uploads)
    top = sent.number("top", default=TOP, most=MOST)
    names = sent.number("names", default=NAMES, most=MOST)
    size = sent.number("min_images", default=share.settings.min_images, least=2, most=LARGEST_GROUP)
    return await share.changing(lambda: _observed(share, sent, top=top, names=names, min_images=size))


def _observed(share: Share, sent: Sent, *, top: int, names: int, min_images: int) -> dict[str, Any]:
    from inkling.review.observe import Observer

    service = share.service
    classifier = service.classifier
    records = [one.record() for one in sent.uploads]
    samples = service.embedded(records)
    if not len(samples):
        raise _none_readable(samples.skipped)
    verdicts = classifier.judge(samples, top=top, names=names)
    observer = Observer(service.memory, classifier, min_images=min_images)
    observer.take(samples)
    sent_as = {record.path: record for record in records}
    for content, path, verdict in zip(samples.content_hashes, samples.paths, verdicts, strict=True):
        if verdict.p_known is not None and verdict.p_known <= GATE and path in sent_as:
            share.larger.keep(content, sent_as[path])
    observed = explored_payload(observer.proposed())
    told = [
        {"id": content, **verdict_payload(one)} for content, one in zip(samples.content_hashes, verdicts, strict=True)
    ]
    return {
        "memory_version": classifier.memory_version,
        "n": len(told),
        "predictions": told,
        "skipped": skipped_payload(samples.skipped),
        "observed": observed,
    }


def _none_readable(skipped: Any) -> InputError:
    error = InputError("None of the pictures can be read.", remedy="Nothing was changed.")
    error.skipped = tuple(skipped)
    return error
