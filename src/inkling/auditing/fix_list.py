"""The list of corrections that an audit suggests, as a table that people edit."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from inkling.auditing.findings import Finding
from inkling.filing.fix_list import COLUMNS, DROP, KEEP, RELABEL
from inkling.outputs import appearing_whole


def write_fix_list(path: str | Path, findings: Iterable[Finding]) -> int:
    """Write a row for every image in question; returns how many there are.

    ``action`` is ``relabel`` with the new ``label``, ``drop``, or ``keep`` where a person has to decide. An image of
    several findings has one row, that of the first. The evidence names the other images that it is about. With a
    byte-order mark, without which spreadsheets take names for what they are not, where a row is not ASCII.

    Raises
    ------
    InputError
        If the file can't be written.
    """
    rows: dict[str, tuple[str, ...]] = {}
    for one in findings:
        rules = suggested(one)
        for place, image in enumerate(one.files):
            if image in rules and image not in rows:
                rows[image] = (image, *rules[image], one.kind, shown_score(one), one.evidence_at(place))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows.values())
    text = out.getvalue()
    with appearing_whole(path) as draft:
        draft.write_bytes(text.encode("utf-8" if text.isascii() else "utf-8-sig"))
    return len(rows)


def shown_score(finding: Finding) -> str:
    """The score as the list has it."""
    return f"{finding.score:.3f}"


def suggested(finding: Finding) -> Mapping[str, tuple[str, str]]:
    """Action and new label for each image in question, by its path; ``keep`` where a person has to decide."""
    files = finding.files
    match finding.kind:
        case "exact_duplicate" | "near_duplicate":
            return dict.fromkeys(files[1:], (DROP, ""))
        case "unreadable" | "uniform":
            return dict.fromkeys(files, (DROP, ""))
        case "mislabelled":
            return dict.fromkeys(files, (RELABEL, finding.relabel) if finding.relabel else (KEEP, ""))
        case "label_conflict" if finding.relabel is not None:
            wrong = [path for path, label in zip(files, finding.labels, strict=True) if label != finding.relabel]
            return dict.fromkeys(wrong, (DROP, ""))
        case "leak":  # the others are of the images to test on
            return dict.fromkeys(files[:1], (KEEP, ""))
    return dict.fromkeys(files, (KEEP, ""))
