"""The route of what a page has to know before it shows anything."""

from __future__ import annotations

from html import escape
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse
from starlette.types import Scope

from inkling.memory.shown import shown_proposals
from inkling.memory.summary import summarize
from inkling.redaction import redacted
from inkling.serving.access import Access
from inkling.serving.problems import Problem
from inkling.serving.service import Service
from inkling.serving.shared import Share

router = APIRouter(tags=["health"])

_DOCS = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme"
content="light dark"><title>{title}: what programs can ask</title></head>
<body>
<main>
<h1>What programs can ask</h1>
<p><a href="/openapi.json">/openapi.json</a> describes all of it, with examples, for tools that read OpenAPI 3.1.
People use <a href="/">the page</a>. Errors are problem documents (RFC 9457).</p>
<table><thead><tr><th scope="col">Request</th><th scope="col">What it does</th></tr></thead>
<tbody>{rows}</tbody></table>
</main>
</body>
</html>
"""


@router.get("/v1/about")
async def about(request: Request, share: Share) -> dict[str, Any]:
    """What is served, how much of it there is, and whether whoever asks may change it."""
    told = await share.reading(lambda: _told(share.service))
    settings = share.settings
    return {
        **told,
        "may_write": may_write(settings.access, request.scope),
        "group_size": settings.min_images,
        "most_images": settings.limits.images,
        "most_bytes": settings.limits.body_bytes,
    }


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """The interface for programs as a page: a list of what can be asked, which needs no script from elsewhere."""
    document = request.app.openapi()
    rows = "".join(
        f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(told.get('description', ''))}</td></tr>"
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    )
    return HTMLResponse(_DOCS.format(title=escape(document["info"]["title"]), rows=rows))


def may_write(access: Access, scope: Scope) -> bool:
    """Whether somebody may change the memory, be it with a token that is still to be given."""
    if access.tokens and not access.read_only:
        return True
    try:
        access.writer(scope)
    except Problem:
        return False
    return True


def shown_name(memory: str) -> str:
    """Name of a memory: of its file, or of its database, without where that is."""
    return PurePath(urlsplit(redacted(memory)).path if "://" in memory else memory).name


def _told(service: Service) -> dict[str, Any]:
    if not service.begins:
        return {"fitted": True, **_of_memory(service.memory)}
    return {
        "fitted": False,
        "memory": shown_name(service.memory),
        "memory_version": 0,
        "encoder": service.encoder.identity.name,
        "detects_unknown": False,
        "classes": 0,
        "images": 0,
        "proposals": 0,
        "loose": 0,
    }


def _of_memory(memory: str) -> dict[str, Any]:
    summary = summarize(memory)
    proposals = shown_proposals(memory, most=0)
    return {
        "memory": shown_name(memory),
        "memory_version": summary.version,
        "encoder": summary.encoder.name,
        "detects_unknown": summary.detector is not None,
        "classes": len(summary.classes),
        "images": sum(one.images for one in summary.classes),
        "proposals": len(proposals.proposals),
        "loose": proposals.n_loose,
    }
