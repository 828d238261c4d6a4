"""Screenshots, by the metadata of their files and by the names that systems give them; never by their looks."""

from __future__ import annotations

from collections.abc import Iterator

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.images.provenance import screenshot_by_name

BY_NAME = 0.9
"""Score of one that only its name tells: people rename files."""
MOST = 0.5
"""Share of screenshots up to which one is worth a look: where more are, the classes are of screenshots."""


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each screenshot."""
    samples, found = subject.samples, list[Finding]()
    rows = [row for row, view in enumerate(samples.views) if view == 0]
    for row in rows:
        path, label = samples.paths[row], str(samples.labels[row])
        said = subject.provenance[path].screenshot if path in subject.provenance else None
        told = said or screenshot_by_name(path)
        if told is not None:
            suggestion = "Does it show more than the thing itself, such as buttons? Then crop it, or leave it out."
            found.append(Finding("screenshot", (path,), told, 1.0 if said else BY_NAME, suggestion, (label,)))
    if len(found) <= MOST * len(rows):
        yield from found


CHECK = Check("screenshots", ("screenshot",), find)
