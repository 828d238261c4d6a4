"""Files of one picture that differ in size, compression, crop, side or colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.copies import leak, of_one_picture
from inkling.auditing.findings import Finding
from inkling.auditing.near_duplicates import Pair, Pictures, near_pairs
from inkling.auditing.subject import Subject
from inkling.types import IntArray


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each picture that several files show, then one for each image that the test set shows too."""
    yield from _among(subject)
    if subject.against is not None:
        contents = {subject.samples.content_hashes[row] for row in subject.contents}
        there = {content: row for content, row in subject.against.first_rows.items() if content not in contents}
        yield from _leaks(subject, np.array(list(there.values()), dtype=np.int64))


def _among(subject: Subject) -> Iterator[Finding]:
    groups: dict[int, list[Pair]] = defaultdict(list)
    for one in subject.near_duplicates:
        groups[int(subject.picture[one.first])].append(one)
    for some in groups.values():
        alike = sorted({place for one in some for place in (one.first, one.second)})
        best = max(some, key=lambda one: one.correlation)
        kind, score = "near_duplicate", min(best.correlation, 1.0)
        yield of_one_picture(subject, subject.contents[alike].tolist(), kind=kind, how=_how(best), score=score)


def _leaks(subject: Subject, there: IntArray) -> Iterator[Finding]:
    assert subject.against is not None
    seen: set[int] = set()
    pairs = near_pairs(subject.pictures, Pictures.of(subject.against, there))
    for one in sorted(pairs, key=lambda one: -one.correlation):
        if one.first not in seen:
            seen.add(one.first)
            place, other = int(subject.contents[one.first]), int(there[one.second])
            yield leak(subject, place, other, how=_how(one), score=min(one.correlation, 1.0))


def _how(pair: Pair) -> str:
    return f"They look alike: embeddings {pair.cosine:.2f}, thumbnails {pair.correlation:.3f} of 1"


def _lacks(subject: Subject) -> str | None:
    known = any(picture is not None for picture in subject.samples.thumbnails)
    return None if known else "near-duplicates are compared by thumbnails, and there are vectors alone"


CHECK = Check("near-duplicates", ("near_duplicate", "label_conflict", "leak"), find, lacks=_lacks)
