"""Pictures that are stored turned and say so in their EXIF data: shown right here, and not by everything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.wording import counted


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for all of them: none of them is at fault here."""
    samples = subject.samples
    of_picture = dict(zip(samples.sources.tolist(), samples.paths, strict=True))
    said = [subject.provenance.get(path) for path in of_picture.values()]
    turned = [path for path, one in zip(of_picture.values(), said, strict=True) if one is not None and one.turned]
    if turned:
        told = f"Of {counted(len(said), 'picture')}, {len(turned)} have pixels that are to be turned or mirrored by "
        told += f"their EXIF orientation, such as {PurePath(turned[0]).name}. Here they are upright; tools that pass "
        told += "over it show them on their side."
        suggestion = "Nothing to do here. For other tools turn the pixels themselves, and draw boxes after that."
        yield Finding("rotated", (), told, 1.0, suggestion)


def _lacks(subject: Subject) -> str | None:
    return None if subject.provenance else "how pictures are stored is read from files, and there are none"


CHECK = Check("orientation", ("rotated",), find, lacks=_lacks)
