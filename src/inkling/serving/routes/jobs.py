"""Routes of long work: evaluate pictures with labels, discover classes. Progress comes as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from inkling.embeddings.samples import Samples
from inkling.errors import ConflictError, InputError, MissingError
from inkling.payloads import evaluation_payload, explored_payload
from inkling.serving.described import TEXT, leads_to, takes_pictures
from inkling.serving.jobs import Finished, Job, Work
from inkling.serving.outside import Outside
from inkling.serving.schemas import NewJob
from inkling.serving.service import Service
from inkling.serving.shared import Share, writer
from inkling.serving.uploads import read_sent, require_pictures

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

LOOK_SECONDS = 0.2
BEAT_SECONDS = 15
"""A comment is sent so often, so that nothing in between takes the connection for dead."""
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The report has its style and its pictures within itself, and needs no script."""


_OF_JOB = {
    "/id": (
        "job_v1_jobs__id__get",
        "collect_v1_jobs__id__images_post",
        "start_v1_jobs__id__start_post",
        "cancel_v1_jobs__id__delete",
    )
}


@router.post("", status_code=201, responses=leads_to(_OF_JOB, status=201))
async def begin(request: Request, share: Share, new: NewJob) -> dict[str, Any]:
    """Begin to collect pictures: with labels to evaluate, or unlabelled ones to discover classes among."""
    if new.kind == "discover":
        writer(request)
        work = _discovering(share.service, new.min_images or share.settings.min_images)
    else:
        if new.min_images is not None:
            raise InputError("'min_images' has no effect on an evaluation.", remedy="Leave it out.")
        work = _evaluating(share.service)
    return share.jobs.begin(new.kind, work).told()


@router.get("/{id}")
async def job(share: Share, id: str) -> dict[str, Any]:
    """Where a job stands, and what came of it."""
    return share.jobs.named(id).told()


@router.post("/{id}/images", openapi_extra=takes_pictures({"label": TEXT}))
async def collect(request: Request, share: Share, id: str) -> dict[str, Any]:
    """Give pictures to a job. The label of each is the field `label`, else the folder in the name of its file."""
    job = share.jobs.named(id)
    sent = await read_sent(request, share.settings.limits)
    require_pictures(sent.uploads)
    label = sent.text("label")
    labels = [label or one.folder for one in sent.uploads]

    def embed() -> dict[str, Any]:
        records = [replace(one.record(), label=name) for one, name in zip(sent.uploads, labels, strict=True)]
        job.collect(share.service.embedded(records))
        return job.told()

    return await share.reading(embed)


@router.post("/{id}/start", status_code=202)
async def start(share: Share, id: str) -> dict[str, Any]:
    """Run a job on what was collected."""
    job = share.jobs.named(id)
    job.start()
    return job.told()


@router.get(
    "/{id}/events",
    response_class=Response,
    responses={200: {"description": "Events.", "content": {"text/event-stream": {}}}},
)
async def events(request: Request, share: Share, id: str) -> Response:
    """Where a job stands, told whenever that changes, until it has ended."""
    told = _events(share.jobs.named(id), share.service.closing.is_set, request.app.state.outside)
    return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get(
    "/{id}/report",
    response_class=Response,
    responses={200: {"description": "A page.", "content": {"text/html": {}}}},
)
async def report(share: Share, id: str) -> Response:
    """The report of an evaluation, as a page."""
    page = share.jobs.named(id).page
    if page is None:
        raise MissingError("The job has no report.", remedy="An evaluation has one when it is done.")
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


@router.delete("/{id}", status_code=204, response_class=Response)
async def cancel(share: Share, id: str) -> Response:
    """Cancel a job, and forget it."""
    share.jobs.forget(id)
    return Response(status_code=204)


async def _events(job: Job, closing: Callable[[], bool], outside: Outside) -> AsyncIterator[str]:
    before, quiet = "", 0.0
    while True:
        now = json.dumps(outside.answer(job.told()))
        if now != before:
            yield f"event: {job.told()['state']}\ndata: {now}\n\n"
            before, quiet = now, 0.0
        if job.ended or closing():
            return
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS
        if quiet >= BEAT_SECONDS:
            yield ": still there\n\n"
            quiet = 0.0


def _evaluating(service: Service) -> Work:
    def work(samples: Samples | None, require_wanted: Callable[[], None]) -> Finished:
        from inkling.evaluate.run import evaluate_classifier
        from inkling.reports.content import report_context
        from inkling.reports.evaluation import render_report
        from inkling.reports.portable import page_provenance

        if samples is None or not len(samples):
            raise InputError("There is no picture to evaluate.", remedy="Give the job pictures before it starts.")
        done = evaluate_classifier(service.classifier, samples)
        require_wanted()
        name = service.memory.rpartition("/")[2]
        context = report_context(
            done, memory_name=name, test_name="uploaded pictures", provenance=page_provenance(samples.identity)
        )
        return Finished(evaluation_payload(done.evaluation), render_report(done.evaluation, context))

    return work


def _discovering(service: Service, min_images: int) -> Work:
    def work(samples: Samples | None, require_wanted: Callable[[], None]) -> Finished:
        from inkling.review.explore import explore

        require_wanted()
        classifier = service.classifier
        if samples is not None and samples.identity.fingerprint != classifier.fitted.samples.identity.fingerprint:
            raise ConflictError("The memory has another encoder by now.", remedy="Begin anew.")
        found = explore(service.memory, classifier, samples, min_images=min_images, proceed=require_wanted)
        return Finished(explored_payload(found))

    return work
