"""Drawn pictures, and the plan and job of a run over them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from inkling.bulk.jobs import EmbedJob, Work
from inkling.bulk.plan import Plan, digest_of_images
from inkling.encoders.registry import load_encoder
from inkling.images.sources import find_images
from inkling.sketch import write_dataset
from inkling.types import ImageRecord

PART = 8


def images(folder: Path) -> list[ImageRecord]:
    """Drawn pictures, one of them damaged."""
    write_dataset(folder, ["car", "castle", "tree"], 9, seed=1)
    (folder / "castle" / "broken.png").write_bytes(b"no picture")
    return list(find_images(folder).records)


def planned(records: list[ImageRecord], **changes: object) -> Plan:
    """A run that embeds them in parts of eight."""
    plan = Plan("embed", {}, "sketch", None, None, len(records), digest_of_images(records), PART)
    return replace(plan, **changes)


JOB = EmbedJob(load_encoder("sketch").identity)


@dataclass(frozen=True)
class SlowJob(EmbedJob):
    """The same in parts of a second each, so that there is time to die."""

    def open(self, *, threads: int | None = None) -> Work:
        """As `EmbedJob`."""
        work = super().open(threads=threads)

        def slow(records: Sequence[ImageRecord]) -> pa.Table:
            time.sleep(1)
            return work(records)

        return slow


SLOW = SlowJob(JOB.encoder)
