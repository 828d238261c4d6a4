"""Paths of the interface that no route takes: whether there is no such path, or it takes other methods."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from inkling.serving.problems import Problem

_PARAMETER = re.compile(r"\{[^}]*\}")
PREFIXES = ("/v1", "/v2", "/label-studio")


def refuse_the_rest(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Answer below the prefixes of the interface what its routes have not taken, before the page is asked for it."""
    methods: dict[str, set[str]] = defaultdict(set)
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        methods[_PARAMETER.sub("{}", route.path)] |= route.methods or set()
    known = {
        re.compile(re.escape(path).replace(r"\{\}", "[^/]+")): sorted(methods[path])
        for path in sorted(methods, key=lambda path: path.count("{"))  # a name of its own goes before a number
    }
    for prefix in PREFIXES:
        app.mount(prefix, _refusing(known))


def _refusing(known: dict[re.Pattern[str], list[str]]) -> ASGIApp:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        methods = next((found for path, found in known.items() if path.fullmatch(scope["path"])), None)
        if methods is None:
            problem = Problem(404, "not-found", "There is no such path.", remedy="They are in /openapi.json.")
        else:
            problem = Problem(
                405, "method", f"This path takes {', '.join(methods)}.", headers={"Allow": ", ".join(methods)}
            )
        await problem.response(scope, receive, send)

    return refuse
