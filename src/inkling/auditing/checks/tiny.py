"""Pictures with far fewer pixels than the encoder reads, by the size of thumbnails, which are never enlarged."""

from __future__ import annotations

from collections.abc import Iterator

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.images.decode import THUMBNAIL_SIDE
from inkling.images.thumbnails import size_of

SHARE = 0.5
"""Share of the pixels that the encoder reads along the shorter side below which a picture is tiny."""


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each picture, or crop, that is tiny."""
    assert subject.reads is not None
    samples, least = subject.samples, SHARE * subject.reads
    for path, label, jpeg in zip(samples.paths, samples.labels, samples.thumbnails, strict=True):
        size = size_of(jpeg)
        # A thumbnail of the full side may be of a larger picture.
        if size is not None and max(size) < THUMBNAIL_SIDE and min(size) < least:
            told = f"It has {size[0]} x {size[1]} pixels; the encoder reads {subject.reads} along the shorter side."
            suggestion = "Is there a larger one? Else keep it if those that it will be used on are as small."
            yield Finding("tiny", (path,), told, 1.0 - min(size) / least, suggestion, (str(label),))


def _lacks(subject: Subject) -> str | None:
    if subject.reads is None:
        return "how large the encoder reads pictures is not known without it"
    known = any(picture is not None for picture in subject.samples.thumbnails)
    return None if known else "sizes of pictures are read from thumbnails, and there are vectors alone"


CHECK = Check("tiny pictures", ("tiny",), find, lacks=_lacks)
