"""Images that are the same to the byte: twice in a class, in two classes, or among those that they are tested on."""

from __future__ import annotations

from collections.abc import Iterator

from inkling.auditing.checks.check import Check
from inkling.auditing.copies import leak, of_one_picture
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject


def find(subject: Subject) -> Iterator[Finding]:
    """Copies; each content once, by the worst that it does."""
    places: dict[str, dict[str, int]] = {}
    for row, (content, path) in enumerate(zip(subject.samples.content_hashes, subject.samples.paths, strict=True)):
        places.setdefault(content, {}).setdefault(path, row)
    tested = {} if subject.against is None else subject.against.first_rows
    for content, by_path in places.items():
        rows = list(by_path.values())
        if content in tested:
            for row in rows:
                yield leak(subject, row, tested[content], how="It is the same file", score=1.0)
        elif len(rows) > 1:
            yield of_one_picture(subject, rows, kind="exact_duplicate", how="They are the same file", score=1.0)


CHECK = Check("copies", ("exact_duplicate", "label_conflict", "leak"), find)
