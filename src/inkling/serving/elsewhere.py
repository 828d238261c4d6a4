"""Paths of the interface that no route takes: whether there is no such path, or it takes other methods."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from inkling.serving.problems import Problem

_PARAMETER = re.compile(r"\\\{([^}]*)\\\}")
"""In a path that is escaped."""
PREFIXES = ("/v1", "/v2", "/label-studio")


def refuse_the_rest(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Answer below the prefixes of the interface what its routes have not taken, before the page is asked for it."""
    methods: dict[str, set[str]] = defaultdict(set)
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        methods[_pattern(route.path)] |= route.methods or set()
    # A name of its own goes before a number, and that before any name.
    order = sorted(methods, key=lambda path: (path.count("["), path.count("[^")))
    known = {re.compile(path): sorted(methods[path]) for path in order}
    for prefix in PREFIXES:
        app.mount(prefix, _refusing(known))


def _pattern(path: str) -> str:
    """Of the paths that a route may take, whose parameters are numbers or any name."""
    return _PARAMETER.sub(lambda found: "[0-9]+" if found[1].endswith(":int") else "[^/]+", re.escape(path))


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
