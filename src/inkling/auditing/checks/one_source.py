"""Bursts and frames of a video: images of a class that are far more alike than the class is anyway."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.heads.one_source import Residuals
from inkling.types import IntArray
from inkling.wording import counted


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each source of several files that do not show one picture."""
    rows = subject.different
    y, found = subject.vectors.y[rows], subject.bursts
    residuals, chance, source = found.residuals, found.chance, found.source
    order = np.argsort(source, kind="stable")
    files = subject.samples.sources[rows]
    for group in np.split(order, np.flatnonzero(np.diff(source[order])) + 1):
        if len(np.unique(files[group])) > 1:
            alike = _mean_alike(residuals, group)
            yield _finding(subject, rows[group], subject.classes[y[group[0]]], alike, chance)


def _mean_alike(residuals: Residuals, group: IntArray) -> float:
    alike = residuals.alike(group, group)
    return float((alike.sum() - np.trace(alike)) / (len(group) * (len(group) - 1)))


def _finding(subject: Subject, rows: IntArray, name: str, alike: float, chance: float) -> Finding:
    told = f"{counted(len(rows), 'image')} differ from the rest of {name} in the same way: alike by {alike:.2f}"
    told += f" of 1, where {chance:.2f} is next to never met between classes." if chance else " of 1."
    suggestion = "Frames of a video, or a burst? Keep all on one side of any split; few of them say as much as all."
    paths = tuple(subject.samples.paths[row] for row in rows)
    return Finding("one_source", paths, told, min(alike, 1.0), suggestion, (name,))


CHECK = Check("one source", ("one_source",), find)
