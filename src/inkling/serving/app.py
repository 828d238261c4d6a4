"""The application: routes, rules and headers around a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import JSONResponse

from inkling.exporting.web_page import COMMON
from inkling.provenance import inkling_version
from inkling.serving.access import OwnSiteOnly
from inkling.serving.bodies import BoundedBodies
from inkling.serving.described import PROBLEMS
from inkling.serving.elsewhere import refuse_the_rest
from inkling.serving.headers import SafeHeaders
from inkling.serving.logs import Log
from inkling.serving.metrics import Metrics, Observed
from inkling.serving.outside import Outside
from inkling.serving.problems import tell_problems
from inkling.serving.routes import (
    about,
    ask,
    classes,
    downloads,
    health,
    history,
    images,
    jobs,
    label_studio,
    open_inference,
    proposals,
    study,
)
from inkling.serving.service import Service
from inkling.serving.settings import Settings
from inkling.serving.shared import Shared

PAGE = Path(__file__).parent / "page"
ROUTERS = (
    ask.router,
    classes.router,
    proposals.router,
    images.router,
    downloads.router,
    history.router,
    study.router,
    jobs.router,
    open_inference.router,
    label_studio.router,
    health.router,
    about.router,
)


def create_app(service: Service, settings: Settings) -> FastAPI:
    """The application of a service.

    Parameters
    ----------
    service
        What is served; it is started and closed by whoever runs the application.
    settings
        How.
    """
    outside = Outside(service.memory)
    app = FastAPI(
        title="Inkling",
        version=inkling_version(),
        summary="A few-shot classifier of images that learns while it serves.",
        docs_url=None,  # the page of FastAPI loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
        default_response_class=_told_by(outside),
    )
    app.state.shared, app.state.outside = Shared(service, settings), outside
    tell_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    refuse_the_rest(app, ROUTERS)
    app.mount("/common", StaticFiles(directory=COMMON), name="common")
    app.mount("/", StaticFiles(directory=PAGE, html=True), name="page")
    # The last added is the first to see a request.
    app.add_middleware(BoundedBodies, limits=settings.limits)
    app.add_middleware(OwnSiteOnly, access=settings.access)
    app.add_middleware(SafeHeaders)
    app.state.metrics = Metrics(service)
    app.add_middleware(Observed, metrics=app.state.metrics, log=Log(settings.log))
    return app


def _told_by(outside: Outside) -> type[JSONResponse]:
    class Told(JSONResponse):
        """JSON as whoever asks gets to read it."""

        def render(self, content: Any) -> bytes:
            return super().render(outside.answer(content))

    return Told
