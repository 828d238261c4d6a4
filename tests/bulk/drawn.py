"""Drawn pictures, and the plan and job of a run over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from inkling.bulk.jobs import EmbedJob
from inkling.bulk.plan import Plan, digest_of_images
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


JOB = EmbedJob("sketch")
