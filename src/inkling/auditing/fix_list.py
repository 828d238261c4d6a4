"""The list of corrections that an audit suggests, as a table that people edit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from inkling.auditing.findings import Finding
from inkling.outputs import appearing_whole

COLUMNS = ("path", "action", "label", "kind", "score", "evidence")
KEEP, RELABEL, DROP = "keep", "relabel", "drop"


def write_fix_list(path: str | Path, findings: Iterable[Finding]) -> int:
    """Write a row for every image in question; returns how many there are.

    ``action`` is ``relabel`` with the new ``label``, ``drop``, or ``keep`` where a person has to decide. An image of
    several findings has one row, that of the first.

    Raises
    ------
    InputError
        If the file can't be written.
    """
    rows: dict[str, tuple[str, ...]] = {}
    for row in (row for one in findings for row in _rows(one)):
        rows.setdefault(row[0], row)
    with appearing_whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows.values())
    return len(rows)


def _rows(finding: Finding) -> Iterator[tuple[str, str, str, str, str, str]]:
    told = (finding.kind, f"{finding.score:.3f}", finding.evidence)
    if finding.kind in ("exact_duplicate", "near_duplicate"):
        yield from ((path, DROP, "", *told) for path in finding.files[1:])
    elif finding.kind == "unreadable":
        yield from ((path, DROP, "", *told) for path in finding.files)
    elif finding.kind == "mislabelled":
        yield from ((path, RELABEL, finding.relabel or "", *told) for path in finding.files)
    elif finding.kind == "leak":  # the others are of the images to test on
        yield from ((path, KEEP, "", *told) for path in finding.files[:1])
    else:
        yield from ((path, KEEP, "", *told) for path in finding.files)
