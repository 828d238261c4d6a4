"""Classes that are two clusters: maybe two things under one name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.auditing.two_clusters import APART, CLASSES, LEAST, TwoClusters, two_clusters
from inkling.types import IntArray


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each class, with the most typical image of either cluster."""
    rows = subject.different
    y = subject.vectors.y[rows]
    for one in two_clusters(subject.leading, y, subject.bursts.source, seed=subject.seed):
        yield _finding(subject, rows, one)


def _finding(subject: Subject, rows: IntArray, one: TwoClusters) -> Finding:
    name, (large, small) = subject.classes[one.k], one.rows
    told = (
        f"Its images are two clusters, of {len(large)} and {len(small)}, each with the image shown as its most typical "
    )
    told += f"one: apart by {one.apart:.2f}, where those of hardly any class are by more than {APART}."
    suggestion = f"Are they two things? Then give them two names. Or is one of them not {name}?"
    files = tuple(subject.samples.paths[rows[at]] for at in one.typical)
    return Finding("two_clusters", files, told, 1.0 - APART / (2.0 * one.apart), suggestion, (name,))


def _lacks(subject: Subject) -> str | None:
    if subject.tuned:
        return "the encoder was tuned on these images, and has moved the clusters of a class together"
    counts = np.bincount(subject.vectors.y[subject.different])
    if (counts > 0).sum() < CLASSES:
        return f"how far apart is far is known from other classes, and there are fewer than {CLASSES}"
    return None if counts.max() >= LEAST else f"classes have fewer than {LEAST} images"


CHECK = Check("two clusters", ("two_clusters",), find, lacks=_lacks)
