"""What goes wrong, as problem documents (RFC 9457)."""

from __future__ import annotations

import http
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from inkling.errors import (
    ConflictError,
    EncoderError,
    EncoderMismatchError,
    InklingError,
    InputError,
    MemoryChangedError,
    MemoryFileError,
    MissingError,
    MissingExtraError,
)
from inkling.payloads import skipped_payload
from inkling.serving.batching import BusyError
from inkling.serving.faults import plain_faults
from inkling.serving.outside import OPERATOR, Outside

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
SHOWN_FAULTS = 3

_STATUS: tuple[tuple[type[InklingError], int], ...] = (
    (BusyError, 429),
    (MissingError, 404),
    (ConflictError, 409),
    (MemoryChangedError, 409),
    (EncoderMismatchError, 409),
    (InputError, 422),
    (MissingExtraError, 501),
    (MemoryFileError, 503),
    (EncoderError, 503),
)
"""Status of each kind of error; the first that fits."""

_OF_OPERATOR = frozenset({"memory-file", "encoder", "missing-extra"})
"""Kinds of problems that only whoever runs the service can do something about."""

TITLES = {
    400: "The request cannot be read",
    401: "A token is needed",
    403: "This is not allowed here",
    404: "There is no such thing",
    405: "This cannot be done here",
    408: "The request took too long",
    409: "This no longer fits what is there",
    413: "The request is too large",
    415: "This kind of content is not read",
    421: "The request is for another host",
    422: "The request cannot be used",
    429: "Too much is waiting",
    500: "A defect of the service",
    501: "A package is missing",
    503: "The service cannot answer now",
}


_PLAIN = {
    404: ("There is nothing at this address.", "The page is at /; what programs can ask is described at /docs."),
    405: ("This address is only read.", "What programs can change is described at /docs."),
}
"""Detail and remedy of what no route of ours refuses."""


class Problem(HTTPException):
    """A request that cannot be answered.

    Parameters
    ----------
    status
        Of HTTP.
    kind
        Last part of the type of the problem.
    detail
        What was expected, and what came.
    remedy
        What to do.
    more
        Further members of the document.
    headers
        Further headers.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        remedy: str | None = None,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.kind, self.remedy, self.more = kind, remedy, dict(more or {})

    @property
    def response(self) -> Response:
        """As the client gets it."""
        document = {
            "type": f"urn:inkling:problem:{self.kind}",
            "title": TITLES.get(self.status_code, "The request failed"),
            "status": self.status_code,
            "detail": self.detail,
            **({} if self.remedy is None else {"remedy": self.remedy}),
            **self.more,
        }
        return JSONResponse(document, self.status_code, headers=self.headers, media_type=MEDIA_TYPE)


def problem_of(error: InklingError) -> Problem:
    """The problem that an error of Inkling is."""
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
    more = {"skipped": skipped_payload(error.skipped)} if error.skipped else {}
    return Problem(
        status,
        _kind(error),
        error.message,
        remedy=error.remedy,
        more=more,
        headers={"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else None,
    )


def _kind(error: InklingError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"-{one.lower()}" if one.isupper() else one for one in name).lstrip("-")


def tell_problems(app: FastAPI) -> None:
    """Have an application answer with problem documents whatever goes wrong."""
    for kind in (InklingError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _told)


async def _told(request: Request, error: Exception) -> Response:
    problem = _seen_outside(_problem(error), request.app.state.outside)
    if isinstance(error, InklingError) and problem.status_code >= 500:
        request.state.why = str(error).replace("\n", " ")  # for the log: who asks does not get to see all of it
    if request.url.path.startswith("/v2/"):
        problem.more["error"] = problem.detail  # where the Open Inference Protocol has it
    return problem.response


def _seen_outside(problem: Problem, outside: Outside) -> Problem:
    """The problem in words for whoever has no terminal on this machine."""
    remedy = outside.remedy(problem.remedy)
    if problem.status_code >= 500 and problem.kind in _OF_OPERATOR:
        remedy = OPERATOR
    return Problem(
        problem.status_code,
        problem.kind,
        outside.text(str(problem.detail)),
        remedy=remedy,
        more=outside.answer(problem.more),
        headers=problem.headers,
    )


def _problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case InklingError():
            return problem_of(error)
        case HTTPException():
            kind = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
            detail, remedy = _PLAIN.get(error.status_code, (str(error.detail), None))
            return Problem(error.status_code, kind, detail, remedy=remedy, headers=error.headers)
        case RequestValidationError():
            return _invalid(error)
    return Problem(500, "defect", "The service failed; its log has the reason.")


def _invalid(error: RequestValidationError) -> Problem:
    faults = plain_faults(error.errors())
    told = "; ".join(f"{one['where']}: {one['what']}" for one in faults[:SHOWN_FAULTS])
    is_json = not any(one["type"] == "json_invalid" for one in error.errors())
    status, kind = (422, "invalid") if is_json else (400, "malformed")
    remedy = "The schema of the request is in /openapi.json."
    return Problem(status, kind, f"{told}.", remedy=remedy, more={"faults": faults})
