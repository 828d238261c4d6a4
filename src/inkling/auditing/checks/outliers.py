"""Images unlike all others of their class, where no other class fits either."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.judged_labels import LIKELY
from inkling.auditing.outliers import DIRECTIONS, LEAST, outliers
from inkling.auditing.subject import Subject
from inkling.types import BoolArray, FloatArray

RECOGNISED = 0.5
"""Probability of its own class from which on an image is not said to be unlike it."""


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each outlier that heads which did not see it don't place, in its class or in another."""
    rows = subject.different
    found = outliers(_vectors(subject), subject.vectors.y[rows], seed=subject.seed)
    placed = _placed(subject)
    for at in found.rows:
        if not placed[rows[at]]:
            label = subject.classes[subject.vectors.y[rows[at]]]
            told = f"It is like the nearest of {label} by {max(found.near[at], 0.0):.2f} of 1, as images of other "
            told += f"classes are; half of all images are like those of their class by {found.typical:.2f} or more."
            suggestion = "Does it show anything of the classes? Else leave it out."
            path = subject.samples.paths[rows[at]]
            yield Finding("outlier", (path,), told, found.score(int(at)), suggestion, (label,))


def _vectors(subject: Subject) -> FloatArray:
    """Those of different pictures, along the directions that outliers are looked for where those are found already."""
    some, few = subject.telling[subject.different], subject.leading
    return few[:, -DIRECTIONS:] if few.shape[1] < some.shape[1] else some


def _placed(subject: Subject) -> BoolArray:
    """Images that heads recognise as of their class, and those whose label is said to be wrong as another fits."""
    placed = np.zeros(len(subject.samples), dtype=bool)
    if subject.why_no_labels is None:
        seen = subject.held_out
        recognised = seen.p[np.arange(len(seen.y)), seen.y] >= RECOGNISED
        placed[seen.rows] = recognised | (seen.p_wrong >= LIKELY)
    return placed


def _lacks(subject: Subject) -> str | None:
    if subject.tuned:
        return "the encoder was tuned on these images, and has moved outliers to their classes"
    counts = np.bincount(subject.vectors.y[subject.different])
    if (counts > 0).sum() < 2:
        return "how unlike a class its outliers are is known from other classes, and there is one"
    return None if counts.max() >= LEAST else f"classes have fewer than {LEAST} images"


CHECK = Check("outliers", ("outlier",), find, lacks=_lacks)
