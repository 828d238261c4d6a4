"""What is counted and timed, as Prometheus reads it."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkling.serving.logs import Log
from inkling.serving.service import Service

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
"""Stands for methods and paths that are none of ours: whoever asks does not get to name what is counted."""


class Metrics:
    """Counters of one service.

    Parameters
    ----------
    service
        What is served.
    """

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._requests = Counter(
            "inkling_requests", "Requests that were answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "inkling_request_seconds",
            "Seconds to an answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        waiting = Gauge("inkling_waiting_pictures", "Pictures that wait for the encoder.", registry=self._registry)
        waiting.set_function(lambda: service.thread.n_waiting)
        version = Gauge("inkling_memory_version", "Version of the memory in use.", registry=self._registry)
        version.set_function(lambda: service.version)
        ready = Gauge("inkling_ready", "Whether the service is warmed up.", registry=self._registry)
        ready.set_function(lambda: float(service.ready.is_set()))
        workers = Gauge(
            "inkling_workers", "Encoder processes that are ready; 0: none beside the server.", registry=self._registry
        )
        workers.set_function(lambda: 0 if service.workers is None else service.workers.live)
        replaced = Gauge(
            "inkling_workers_replaced", "Encoder processes that ended and were replaced.", registry=self._registry
        )
        replaced.set_function(lambda: 0 if service.workers is None else service.workers.replaced)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self._registry)


class Observed:
    """Counts, times and logs every answer.

    Parameters
    ----------
    app
        Answers.
    metrics
        Counts.
    log
        Logs.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: Log) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the interface has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            seconds = time.perf_counter() - begun
            method = scope["method"] if scope["method"] in METHODS else OTHER
            route = getattr(scope.get("route"), "path", OTHER)
            self._metrics.count(method, route, status, seconds)
            self._log.answered(scope, route=route, status=status, seconds=seconds)
