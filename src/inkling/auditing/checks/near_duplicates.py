"""Files of one picture that differ in size, compression, crop, side or colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.copies import first_rows, leak, of_one_picture
from inkling.auditing.findings import Finding
from inkling.auditing.near_duplicates import Pair, Pictures, near_pairs
from inkling.auditing.subject import Subject
from inkling.discovery.pool import components
from inkling.types import IntArray


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each picture that several files show, then one for each image that the test set shows too."""
    contents = first_rows(subject.samples)
    rows = np.array(list(contents.values()), dtype=np.int64)
    images = Pictures.of(subject.samples, rows)
    yield from _among(subject, rows, images)
    if subject.against is not None:
        there = {content: row for content, row in first_rows(subject.against).items() if content not in contents}
        others = np.array(list(there.values()), dtype=np.int64)
        yield from _leaks(subject, rows, images, others)


def _among(subject: Subject, rows: IntArray, images: Pictures) -> Iterator[Finding]:
    pairs = near_pairs(images)
    places = np.array([(one.first, one.second) for one in pairs], dtype=np.int64).reshape(-1, 2)
    picture = components(len(rows), np.arange(len(rows)), places)
    groups: dict[int, list[Pair]] = defaultdict(list)
    for one in pairs:
        groups[int(picture[one.first])].append(one)
    for some in groups.values():
        alike = sorted({place for one in some for place in (one.first, one.second)})
        best = max(some, key=lambda one: one.correlation)
        kind, score = "near_duplicate", min(best.correlation, 1.0)
        yield of_one_picture(subject, rows[alike].tolist(), kind=kind, how=_how(best), score=score)


def _leaks(subject: Subject, rows: IntArray, images: Pictures, there: IntArray) -> Iterator[Finding]:
    assert subject.against is not None
    seen: set[int] = set()
    pairs = near_pairs(images, Pictures.of(subject.against, there))
    for one in sorted(pairs, key=lambda one: -one.correlation):
        if one.first not in seen:
            seen.add(one.first)
            place, other = int(rows[one.first]), int(there[one.second])
            yield leak(subject, place, other, how=_how(one), score=min(one.correlation, 1.0))


def _how(pair: Pair) -> str:
    return f"They look alike: embeddings {pair.cosine:.2f}, thumbnails {pair.correlation:.3f} of 1"


def _lacks(subject: Subject) -> str | None:
    known = any(picture is not None for picture in subject.samples.thumbnails)
    return None if known else "near-duplicates are compared by thumbnails, and there are vectors alone"


CHECK = Check("near-duplicates", find, lacks=_lacks)
