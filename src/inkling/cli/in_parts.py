"""Results in parts: a folder in place of a file, on this machine or on Ray, and what an interruption left resumed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from inkling.cli.border import PARTLY_DONE
from inkling.cli.console import STDOUT, note, note_some, show, tell_skipped
from inkling.cli.progress import progress_bar
from inkling.cli.stopping import ANEW, resumable, tell_on_stop
from inkling.errors import InklingError, InputError, require
from inkling.wording import counted

if TYPE_CHECKING:
    from inkling.bulk.jobs import Job
    from inkling.bulk.plan import Plan
    from inkling.bulk.run import Ran
    from inkling.bulk.shelf import Shelf
    from inkling.images.sources import Found
    from inkling.types import EncoderIdentity, ImageRecord

HERE, RAY = "here", "ray"


@dataclass(frozen=True)
class Sitting:
    """How parts are made.

    Attributes
    ----------
    engine
        ``here`` or ``ray``.
    address
        Of the cluster.
    resume
        Whether to go on with what is there.
    gpus
        Share of a GPU for each worker.
    """

    engine: str = HERE
    address: str | None = None
    resume: bool = False
    gpus: float | None = None

    @property
    def on_ray(self) -> bool:
        """Whether Ray makes them."""
        return self.engine == RAY

    def check_options(self) -> None:
        """Refuse an engine that there is not, and options of another.

        Raises
        ------
        InputError
            If there is one.
        """
        if self.engine not in (HERE, RAY):
            raise InputError(f"'{self.engine}' is no engine.", remedy=f"Choose {HERE} or {RAY}.")
        for option, value in (("--address", self.address), ("--gpus", self.gpus)):
            if value is not None and not self.on_ray:
                raise InputError(f"{option} has no effect without --engine ray.", remedy="Add --engine ray.")

    def in_parts(self, output: str | Path | None) -> bool:
        """Whether an output is a folder of parts."""
        return output is not None and _is_folder(str(output))

    def check(self, output: str | Path | None) -> bool:
        """Whether an output is a folder of parts.

        Raises
        ------
        InputError
            If it is none, and an option asks for parts; or an option is unknown.
        """
        self.check_options()
        in_parts = self.in_parts(output)
        if not in_parts and (self.on_ray or self.resume):
            option = "--resume" if self.resume else "--engine ray"
            raise InputError(f"{option} writes parts into a folder.", remedy="Name one: --output DIR.")
        if in_parts:
            require("pyarrow", extra="parquet", purpose=f"Writing parts to '{output}'")
            tell_on_stop(lambda: ANEW)
        return in_parts


def _is_folder(output: str) -> bool:
    """Whether a name is that of a folder or a URL, rather than of a file or standard output."""
    from inkling.images.places import is_url

    return output != STDOUT and (is_url(output) or Path(output).is_dir() or not Path(output).suffix)


Target = tuple[str, Sitting, str | None]
"""Where parts go, how they are made, and where the figures are written."""


def embed_in_parts(found: Found, encoder: EncoderIdentity, device: str, target: Target) -> None:
    """Write vectors of images in parts.

    Parameters
    ----------
    found
        The images.
    encoder, device
        As `inkling.bulk.jobs.EmbedJob` takes them.
    target
        Where to.
    """
    from inkling.bulk.jobs import EmbedJob
    from inkling.bulk.plan import Plan, digest_of_images

    tell_skipped([], found.ignored)
    job = EmbedJob(encoder, device, label_kind=found.label_kind)
    asked = {"label_kind": found.label_kind.value}
    records = found.records
    plan = Plan("embed", asked, encoder.fingerprint, None, None, len(records), digest_of_images(records))
    _run(plan, job, records, target)


def predict_in_parts(
    memory: str, records: Sequence[ImageRecord], rows: Mapping[str, Any], job: Mapping[str, Any], target: Target
) -> None:
    """Write verdicts on images in parts.

    Parameters
    ----------
    memory
        As it is at this moment.
    records
        The images.
    rows
        Options that decide the rows, as JSON.
    job
        What else `inkling.bulk.jobs.PredictJob` takes.
    target
        Where to.
    """
    from inkling.bulk.jobs import PredictJob
    from inkling.bulk.plan import Plan, digest_of_images

    content, version, digest, identity = _snapshot(memory)
    encoder = _absolute(str(job["encoder"] or identity.source))
    boxes = any(record.box is not None for record in records)
    chosen = {"top": rows["top"], "names": rows["names"], "boxes": boxes, **job, "encoder": encoder}
    plan = Plan("predict", rows, identity.fingerprint, version, digest, len(records), digest_of_images(records))
    _run(plan, PredictJob(content, **chosen), records, target)


def _absolute(encoder: str) -> str:
    """The same for a process in another folder."""
    return str(Path(encoder).resolve()) if Path(encoder).is_dir() else encoder


def _snapshot(memory: str) -> tuple[bytes, int, str, EncoderIdentity]:
    """A memory of this moment as bytes of a file, its version, the digest of what it holds, and its encoder."""
    from inkling.memory.backup import backup
    from inkling.memory.digest import digest_text
    from inkling.memory.events import logged_digest
    from inkling.memory.opened import seeing
    from inkling.memory.read import read_encoder

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.ink"
        version = backup(memory, path)
        with seeing(path) as connection:
            digest = digest_text(logged_digest(connection))
            _, encoder = read_encoder(connection)
        return path.read_bytes(), version, digest, encoder


def ran(plan: Plan, job: Job, records: Sequence[ImageRecord], shelf: Shelf, sitting: Sitting) -> Ran:
    """Write the parts, with a progress bar or Ray's own."""
    from inkling.bulk.engines import HereEngine
    from inkling.bulk.run import run_parts

    if sitting.on_ray:
        from inkling.bulk.ray_engine import RayEngine

        engine = RayEngine(sitting.address, gpus=sitting.gpus)
        return run_parts(plan, job, records, shelf, engine=engine, resume=sitting.resume)
    with progress_bar("Images") as progress:
        return run_parts(plan, job, records, shelf, engine=HereEngine(), progress=progress, resume=sitting.resume)


def tell_kept(shelf: Shelf) -> None:
    """From here on have a stop say how to go on with what a folder holds by then."""

    def holds() -> bool:
        with suppress(InklingError, OSError):  # it is gone, or can't be reached
            return bool(shelf.names())
        return False

    tell_on_stop(resumable(holds))


def _run(plan: Plan, job: Job, records: Sequence[ImageRecord], target: Target) -> None:
    """Write the parts and say what came of it."""
    from inkling.bulk.shelf import shelf_of

    output, sitting, json = target
    shelf = shelf_of(output)
    tell_kept(shelf)
    done = ran(plan, job, records, shelf, sitting)
    show(_summary(done, str(shelf)), json=json, table=_print)
    if len(done.skipped) == done.rows:
        raise typer.Exit(PARTLY_DONE)


def _summary(ran: Ran, where: str) -> dict[str, Any]:
    skipped = [{"path": path, "reason": reason} for path, reason in ran.skipped]
    return {
        "output": where,
        "rows": ran.rows,
        "parts": len(ran.parts),
        "done_before": ran.done_before,
        "skipped": skipped,
    }


def _print(summary: Mapping[str, Any]) -> None:
    before = f", {summary['done_before']} of them by an earlier run" if summary["done_before"] else ""
    note(f"{counted(summary['rows'], 'row')} in {counted(summary['parts'], 'part')}{before}: {summary['output']}")
    if summary["skipped"]:
        note(f"{counted(len(summary['skipped']), 'image')} without a result; the column 'error' has the reasons:")
        note_some(f"{one['path']}: {one['reason']}" for one in summary["skipped"])
