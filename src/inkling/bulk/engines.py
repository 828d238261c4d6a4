"""What runs the work: the processors of this machine, or a cluster of Ray's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from inkling.bulk.jobs import Job
from inkling.bulk.parts import Written, write_part
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.types import ImageRecord


class Engine(Protocol):
    """Does the parts that are asked for."""

    def run(
        self, job: Job, plan: Plan, records: Sequence[ImageRecord], parts: Sequence[int], shelf: Shelf
    ) -> Iterator[Written]:
        """Do these parts of the images and write them; yields each when it is there, in any order."""

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Results of work that writes nothing, in the order of the items."""


class HereEngine:
    """This process: threads decode beside the encoder, which takes the other processors."""

    def run(
        self, job: Job, plan: Plan, records: Sequence[ImageRecord], parts: Sequence[int], shelf: Shelf
    ) -> Iterator[Written]:
        """One part after another."""
        work = job.open()
        for part in parts:
            yield write_part(shelf, part, work(records[plan.rows(part)]), run=plan.digest)

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Threads, never far ahead of what is asked for."""
        from inkling.classifier.one_pass import map_here

        return map_here(work, items)
