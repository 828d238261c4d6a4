"""The list of corrections that an audit suggests, as a table that people edit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from inkling.auditing.findings import Finding
from inkling.filing.fix_list import COLUMNS, DROP, KEEP, RELABEL
from inkling.outputs import appearing_whole


def write_fix_list(path: str | Path, findings: Iterable[Finding]) -> int:
    """Write a row for every image in question; returns how many there are.

    ``action`` is ``relabel`` with the new ``label``, ``drop``, or ``keep`` where a person has to decide. An image of
    several findings has one row, that of the first. With a byte-order mark, without which spreadsheets take names for
    what they are not, where a row is not ASCII.

    Raises
    ------
    InputError
        If the file can't be written.
    """
    rows: dict[str, tuple[str, ...]] = {}
    for row in (row for one in findings for row in _rows(one)):
        rows.setdefault(row[0], row)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows.values())
    text = out.getvalue()
    with appearing_whole(path) as draft:
        draft.write_bytes(text.encode("utf-8" if text.isascii() else "utf-8-sig"))
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
