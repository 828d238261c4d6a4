"""Long work: pictures are collected, then it runs in a thread of its own, tells its progress, and can be cancelled."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from inkling.embeddings.samples import Samples
from inkling.errors import ConflictError, InklingError, MissingError
from inkling.payloads import Payload, skipped_payload
from inkling.serving.batching import BusyError

COLLECTING, RUNNING, DONE, FAILED, CANCELLED = "collecting", "running", "done", "failed", "cancelled"
ENDED = frozenset({DONE, FAILED, CANCELLED})
MOST_JOBS = 16
MOST_IMAGES = 20_000
"""Images of one job: their vectors and small pictures are held in memory."""

Work = Callable[[Samples | None, Callable[[], None]], "Finished"]
"""Runs on the collected samples; it calls its second argument now and then, which ends it where it was cancelled."""


class CancelledError(InklingError):
    """Somebody cancelled the work."""


class Finished:
    """What came of a job.

    Parameters
    ----------
    result
        As JSON can hold it.
    page
        A report as HTML.
    """

    def __init__(self, result: Payload, page: str | None = None) -> None:
        self.result, self.page = result, page


class Job:
    """One piece of long work.

    Parameters
    ----------
    kind
        Such as ``evaluate``.
    work
        What is done with the pictures that were collected.
    """

    def __init__(self, kind: str, work: Work) -> None:
        self.id, self.kind = secrets.token_urlsafe(12), kind
        self._work = work
        self._lock = threading.Lock()
        self._state = COLLECTING
        self._parts: list[Samples] = []
        self._error: str | None = None
        self._finished: Finished | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._state in ENDED

    @property
    def page(self) -> str | None:
        """The report, where there is one."""
        return None if self._finished is None else self._finished.page

    def told(self) -> Payload:
        """Where it stands."""
        with self._lock:
            return {
                "id": self.id,
                "kind": self.kind,
                "state": self._state,
                "images": sum(len(one) for one in self._parts),
                "skipped": skipped_payload(image for one in self._parts for image in one.skipped),
                "error": self._error,
                "has_report": self.page is not None,
                "result": None if self._finished is None else self._finished.result,
            }

    def collect(self, samples: Samples) -> None:
        """Take more pictures.

        Raises
        ------
        ConflictError
            If it runs already, or has as many as it can.
        """
        with self._lock:
            self._require_collecting()
            if sum(len(one) for one in self._parts) + len(samples) > MOST_IMAGES:
                raise ConflictError(f"A job takes {MOST_IMAGES} pictures at most.", remedy="Start it with these.")
            self._parts.append(samples)

    def start(self) -> None:
        """Run.

        Raises
        ------
        ConflictError
            If it runs already.
        """
        with self._lock:
            self._require_collecting()
            self._state = RUNNING
        threading.Thread(target=self._run, name=f"inkling-{self.kind}", daemon=True).start()

    def cancel(self) -> None:
        """End it. What it has written already stays, and is in the history."""
        with self._lock:
            if self._state not in ENDED:
                self._state = CANCELLED

    def _require_collecting(self) -> None:
        if self._state != COLLECTING:
            raise ConflictError(f"The job is {self._state} already.", remedy="Begin another one.")

    def _require_wanted(self) -> None:
        if self._state == CANCELLED:
            raise CancelledError("The job was cancelled.")

    def _run(self) -> None:
        try:
            finished = self._work(_joined(self._parts), self._require_wanted)
        except CancelledError:
            return
        except InklingError as error:
            self._end(FAILED, error=" ".join(filter(None, (error.message, error.remedy))))
        except Exception:
            self._end(FAILED, error="The service failed; its log has the reason.")
            raise
        else:
            self._end(DONE, finished=finished)

    def _end(self, state: str, *, error: str | None = None, finished: Finished | None = None) -> None:
        with self._lock:
            if self._state == RUNNING:
                self._state, self._error, self._finished = state, error, finished


class Jobs:
    """The jobs of a service, the latest of them."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def begin(self, kind: str, work: Work) -> Job:
        """A new job, which collects.

        Raises
        ------
        BusyError
            If as many are in progress as can be.
        """
        with self._lock:
            while len(self._jobs) >= MOST_JOBS:
                old = next((one for one in self._jobs.values() if one.ended), None)
                if old is None:
                    raise BusyError(f"{len(self._jobs)} jobs are in progress.", remedy="Cancel one, or wait.")
                del self._jobs[old.id]
            job = Job(kind, work)
            self._jobs[job.id] = job
            return job

    def named(self, number: str) -> Job:
        """The job with this id.

        Raises
        ------
        MissingError
            If there is none.
        """
        job = self._jobs.get(number)
        if job is None:
            raise MissingError("There is no such job.", remedy="Jobs are kept until the service ends, the latest ones.")
        return job

    def forget(self, number: str) -> None:
        """Cancel a job, and keep it no longer."""
        job = self.named(number)
        job.cancel()
        with self._lock:
            self._jobs.pop(number, None)


def _joined(parts: Sequence[Samples]) -> Samples | None:
    """All that was collected; None where that is nothing."""
    if not parts:
        return None
    rows: dict[str, Any] = {
        name: tuple(value for part in parts for value in getattr(part, name))
        for name in ("paths", "labels", "content_hashes", "thumbnails", "views", "skipped")
    }
    return Samples(identity=parts[0].identity, X=np.concatenate([part.X for part in parts]), **rows)
