"""Names whose texts the images of their classes don't match, where texts serve the other classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.types import FloatArray
from inkling.wording import counted

LEAST = 4
"""Images of a class from which on its text can be said not to match."""
NEAREST = 0.1
"""Share of its images that are nearest to a text which doesn't match, at most."""
NEARER = 0.1
"""Share of the other texts that are nearer to its median image, at least. Chosen with `NEAREST` on CLIP's vectors of
Caltech-101 and ImageNet with their texts: docs/decisions/audit.md."""
SERVES = 0.5
"""Share of the images of the median class that its text is nearest to, and of those of the class itself that heads
recognise, from which on the text is to blame: not all texts, and not the images."""


def find(subject: Subject) -> Iterator[Finding]:
    """A finding for each class whose text doesn't match."""
    texts = subject.vectors.text_vectors
    named = np.flatnonzero(subject.vectors.has_text)
    assert texts is not None
    rows = subject.different[np.isin(subject.vectors.y[subject.different], named)]
    y = np.searchsorted(named, subject.vectors.y[rows])
    cosines = subject.vectors.embeddings[rows] @ texts[named].T
    nearer = cosines > cosines[np.arange(len(y)), y][:, None]
    counts = np.bincount(y, minlength=len(named))
    known = np.flatnonzero(counts >= LEAST)
    first = {k: float((~nearer[y == k].any(axis=1)).mean()) for k in known}
    if not first or np.median(list(first.values())) < SERVES:
        return
    recognised = _recognised(subject)[named]
    for k in known:
        share = float(np.median(nearer[y == k].sum(axis=1))) / (len(named) - 1)
        if first[k] <= NEAREST and share >= NEARER and recognised[k] >= SERVES:
            other = subject.classes[named[nearer[y == k].sum(axis=0).argmax()]]
            yield _finding(subject.classes[named[k]], int(counts[k]), first[k], share, other)


def _recognised(subject: Subject) -> FloatArray:
    """Share of the images of each class that heads recognise which did not see them, (n_classes,)."""
    seen, n = subject.held_out, len(subject.classes)
    right = np.bincount(seen.y[seen.p.argmax(axis=1) == seen.y], minlength=n)
    return np.asarray(right / np.maximum(np.bincount(seen.y, minlength=n), 1))


def _finding(name: str, n: int, first: float, share: float, other: str) -> Finding:
    told = f"Of {counted(n, 'image')} of {name}, {first:.0%} are nearest to its text; the median one is nearer to "
    told += f"{share:.0%} of the other texts, most often to that of {other}, while heads recognise it by its images."
    suggestion = "Is it what the encoder takes the name for? 'inkling prompts' tries other names."
    return Finding("name_mismatch", (), told, 0.5 + share / 2.0, suggestion, (name, other))


def _lacks(subject: Subject) -> str | None:
    if subject.vectors.has_text.sum() < 2:
        return "fewer than two classes have a text"
    return subject.why_no_labels


CHECK = Check("names", find, lacks=_lacks)
