"""Findings about several images of one picture: within a class, across classes, in a test set."""

from __future__ import annotations

from collections.abc import Sequence

from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.wording import counted


def of_one_picture(subject: Subject, rows: Sequence[int], *, kind: str, how: str, score: float) -> Finding:
    """Images that show one picture: a finding of `kind`, or a conflict where they have several labels.

    Parameters
    ----------
    rows
        Which of the samples.
    how
        What shows that they do.
    """
    samples = subject.samples
    files = tuple(samples.paths[row] for row in rows)
    labels = tuple(str(samples.labels[row]) for row in rows)
    classes = tuple(dict.fromkeys(labels))
    if len(classes) > 1:
        told = f"{how}, but they are labelled {' and '.join(classes)}."
        advice = "Keep those with the right label."
        return Finding("label_conflict", files, told, score, advice, classes, labels=labels)
    advice = f"Keep one of the {counted(len(rows), 'image')}."
    return Finding(kind, files, f"{how}.", score, advice, classes, labels=labels)


def leak(subject: Subject, row: int, other: int, *, how: str, score: float) -> Finding:
    """An image that is among those that it must not be among."""
    assert subject.against is not None
    label, theirs = str(subject.samples.labels[row]), subject.against.labels[other]
    classes = (label,) if theirs in (None, label) else (label, str(theirs))
    differs = f"; the labels differ: {label}, there {theirs}" if len(classes) > 1 else ""
    files = subject.samples.paths[row], subject.against.paths[other]
    advice = "Leave it out of the training images."
    return Finding("leak", files, f"{how}{differs}.", score, advice, classes, labels=(label, theirs))
