"""Labels that are likely wrong, and images between two classes: by heads that did not see the image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.judged_labels import LIKELY
from inkling.auditing.subject import Subject

BETWEEN = 0.35
"""Probability that both of two classes have where an image lies between them."""


def find(subject: Subject) -> Iterator[Finding]:
    """Wrong labels, then images between two classes; each image once."""
    seen = subject.held_out
    order = np.argsort(-seen.p, axis=1, kind="stable")[:, :2]
    for at in np.argsort(-seen.p_wrong, kind="stable"):
        own, best = seen.y[at], next(k for k in order[at] if k != seen.y[at])
        path, p = subject.samples.paths[seen.rows[at]], seen.p[at]
        label, other = subject.classes[own], subject.classes[best]
        if seen.p_wrong[at] >= LIKELY:
            told = f"Wrong with probability {seen.p_wrong[at]:.2f}: {other} {p[best]:.2f}, {label} {p[own]:.2f}."
            suggestion = f"Is it {other}? If it is neither, leave it out."
            yield Finding("mislabelled", (path,), told, float(seen.p_wrong[at]), suggestion, (label, other), other)
        elif min(p[own], p[best]) >= BETWEEN:
            told = f"{label} {p[own]:.2f}, {other} {p[best]:.2f}."
            suggestion = "Does it show both? Then a tighter crop helps, or leave it out."
            yield Finding("ambiguous", (path,), told, float(2 * min(p[own], p[best])), suggestion, (label, other))


CHECK = Check("labels", ("mislabelled", "ambiguous"), find, lacks=lambda subject: subject.why_no_labels)
