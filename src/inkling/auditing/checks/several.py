"""Crops that boxes of other classes cover by half: they show several kinds of things, as their annotations say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.images.boxes import parsed
from inkling.types import Box

COVERED = 0.5
"""Share of a crop that the box of another class covers from which on it shows that as much as its own."""


class _Crop(NamedTuple):
    path: str
    label: str
    box: Box


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each such crop, with the box that covers most of it."""
    for crops in _by_picture(subject).values():
        for one in crops:
            others = [other for other in crops if other.label != one.label]
            most = max(others, key=lambda other: covered(one.box, other.box), default=None)
            if most is None or (share := covered(one.box, most.box)) < COVERED:
                continue
            told = f"The box of {most.label} in the same picture covers {share:.0%} of it."
            suggestion = "Which of the two does it show? If both, leave it out."
            yield Finding("several", (one.path,), told, share, suggestion, (one.label, most.label))


def covered(crop: Box, other: Box) -> float:
    """Share of a crop, its margin included, that another box covers."""
    across, down = crop.width * crop.margin, crop.height * crop.margin
    width, height = crop.width + 2 * across, crop.height + 2 * down
    wide = min(crop.x - across + width, other.x + other.width) - max(crop.x - across, other.x)
    high = min(crop.y - down + height, other.y + other.height) - max(crop.y - down, other.y)
    return max(wide, 0.0) * max(high, 0.0) / (width * height)


def _by_picture(subject: Subject) -> dict[tuple[str, bool], Sequence[_Crop]]:
    """Crops of each picture; those in shares and those in pixels can't be compared."""
    found: dict[tuple[str, bool], list[_Crop]] = defaultdict(list)
    for path, label, view in zip(subject.samples.paths, subject.samples.labels, subject.samples.views, strict=True):
        if view == 0 and (read := parsed(path)) is not None:
            file, box = read
            found[file, box.in_shares].append(_Crop(path, str(label), box))
    return dict(found)


def _lacks(subject: Subject) -> str | None:
    if any(len({one.label for one in crops}) > 1 for crops in _by_picture(subject).values()):
        return None
    return "only boxes of several classes in one picture tell it"


CHECK = Check("several kinds in one picture", ("several",), find, lacks=_lacks)
