"""Images that are the same to the byte: twice in a class, in two classes, or among those that they are tested on."""

from __future__ import annotations

from collections.abc import Iterator

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.wording import counted


def find(subject: Subject) -> Iterator[Finding]:
    """Copies; each content once, by the worst that it does."""
    places: dict[str, list[int]] = {}
    for row, content in enumerate(subject.samples.content_hashes):
        places.setdefault(content, []).append(row)
    tested: dict[str, list[str]] = {}
    if subject.against is not None:
        for content, path in zip(subject.against.content_hashes, subject.against.paths, strict=True):
            tested.setdefault(content, []).append(path)
    for content, rows in places.items():
        paths = tuple(dict.fromkeys(subject.samples.paths[row] for row in rows))
        labels = tuple(dict.fromkeys(str(subject.samples.labels[row]) for row in rows))
        if content in tested:
            told = f"{counted(len(tested[content]), 'image')} to test on is the same file."
            suggestion = "Take it out here or there; accuracy on it says nothing."
            yield Finding("leak", (*paths, *tested[content]), told, 1.0, suggestion, labels)
        elif len(labels) > 1:
            told = f"The same file is labelled {' and '.join(labels)}."
            yield Finding("label_conflict", paths, told, 1.0, "Keep it under the label that is right.", labels)
        elif len(paths) > 1:
            told = f"The same file, {len(paths)} times."
            yield Finding("exact_duplicate", paths, told, 1.0, "Keep one of them.", labels)


CHECK = Check("copies", find)
