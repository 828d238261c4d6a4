"""A run from its beginning, or from where it stopped, to its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from inkling.bulk import manifest
from inkling.bulk.engines import Engine
from inkling.bulk.jobs import Job
from inkling.bulk.parts import Written, read_part
from inkling.bulk.plan import Plan
from inkling.bulk.shelf import Shelf
from inkling.embeddings.embed import Progress
from inkling.types import ImageRecord


@dataclass(frozen=True)
class Ran:
    """A run that is complete.

    Attributes
    ----------
    parts
        All of them, in their order.
    done_before
        How many of them an earlier sitting had written.
    """

    parts: tuple[Written, ...]
    done_before: int

    @property
    def rows(self) -> int:
        """One for each image."""
        return sum(part.rows for part in self.parts)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Path and reason of the images without a result."""
        return [one for part in self.parts for one in part.skipped]


def run_parts(
    plan: Plan,
    job: Job,
    records: Sequence[ImageRecord],
    shelf: Shelf,
    *,
    engine: Engine,
    resume: bool = False,
    progress: Progress | None = None,
) -> Ran:
    """Do the parts that are not there yet, and write the manifest.

    The result is that of one sitting, whatever stopped the ones before: parts that are whole are kept, and missing and
    damaged ones are done again. What ends a new run before its first part leaves neither a manifest nor a folder that
    was made for it.

    Parameters
    ----------
    plan
        What decides the rows.
    job
        Makes them.
    records
        The images, in the order of the plan.
    shelf
        Where the files go.
    engine
        What runs the work.
    resume
        Go on with a run of the same plan; without, nothing may be there.
    progress
        Called with the number of images done.

    Raises
    ------
    InputError
        If something is there and is not to be resumed, or is another run.
    """
    found = manifest.read_manifest(shelf) if resume else None
    if found is not None:
        manifest.require_same_run(found, plan, shelf)
    there = _parts_there(plan, shelf) if found is not None or (resume and shelf.names()) else {}
    if found is None:
        manifest.begin(shelf, plan, beside=tuple(there))
    done_before = len(there)
    images = sum(part.rows for part in there.values())
    _announce(progress, images, plan.images)
    missing = [part for part in range(plan.n_parts) if part not in there]
    with nullcontext() if found is not None else manifest.withdrawn_in_vain(shelf):
        for written in engine.run(job, plan, records, missing, shelf):
            there[written.part] = written
            images += written.rows
            _announce(progress, images, plan.images)
    parts = tuple(there[part] for part in range(plan.n_parts))
    manifest.complete(shelf, plan, parts)
    return Ran(parts, done_before)


def _parts_there(plan: Plan, shelf: Shelf) -> dict[int, Written]:
    read = (read_part(shelf, part, run=plan.digest) for part in range(plan.n_parts))
    return {part.part: part for part in read if part is not None}


def _announce(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
