"""Classes as wholes: too few images, far fewer than others, two that the encoder can't tell apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.types import FloatArray, IntArray
from inkling.wording import counted

FEW = 4
"""Images of a class below which evidence out of fold tells little."""
TIMES_FEWER = 10
MIXED = 0.35
"""Share of the images of two classes that go to the other one where they look alike; .5 would be a coin."""
LEAST_TO_COMPARE = 8
"""Images of two classes together from which on such a share says something."""


def find(subject: Subject) -> Iterator[Finding]:
    """Findings about classes."""
    sources = subject.vectors.shots.tolist()
    images = np.bincount(subject.vectors.y[subject.contents], minlength=len(sources)).tolist()
    most = max(sources)
    for name, count, of_images in zip(subject.classes, sources, images, strict=True):
        has = _has(name, of_images, count)
        if count < FEW:
            told = f"{has}."
            suggestion = f"Add images; up to {FEW} each one helps much."
            yield Finding("few_images", (), told, 1.0 - count / FEW, suggestion, (name,))
        elif count * TIMES_FEWER <= most:
            told = f"{has}, the largest class {most}."
            suggestion = "Add images of it before those of others."
            yield Finding("imbalance", (), told, 1.0 - count / most, suggestion, (name,))
    yield from _same_text(subject)
    if subject.why_no_labels is None:
        yield from _indistinct(subject)


def _has(name: str, n_images: int, n_sources: int) -> str:
    of = f" of {counted(n_sources, 'source')}" if n_sources < n_images else ""
    return f"{name} has {counted(n_images, 'image')}{of}"


def _same_text(subject: Subject) -> Iterator[Finding]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in subject.entries:
        if entry.prompts:
            alike[tuple(sorted(text.casefold() for text in entry.prompts))].append(entry.name)
    for names in alike.values():
        if len(names) > 1:
            told = f"{' and '.join(names)} have one text, so texts tell nothing of them."
            suggestion = "Are they one class? Else describe each in a prompts file."
            yield Finding("same_text", (), told, 1.0, suggestion, tuple(names))


def _indistinct(subject: Subject) -> Iterator[Finding]:
    seen = subject.held_out
    counts, astray = np.bincount(seen.y, minlength=len(subject.classes)), _gone_astray(seen.p, seen.y)
    of_two = counts[:, None] + counts
    shares = (astray + astray.T) / np.maximum(of_two, 1)
    for a, b in np.argwhere(np.triu((of_two >= LEAST_TO_COMPARE) & (shares >= MIXED), 1)):
        share, names = float(shares[a, b]), (subject.classes[a], subject.classes[b])
        told = f"Of {of_two[a, b]} images of {names[0]} or {names[1]}, {share:.0%} go to the other out of fold."
        suggestion = "Are they two names of one class? Else another encoder, or fine-tuning, may tell them apart."
        yield Finding("indistinct_classes", (), told, min(2 * share, 1.0), suggestion, names)


def _gone_astray(p: FloatArray, y: IntArray) -> IntArray:
    """How many images of the class of the row would rather be of that of the column, (n_classes, n_classes).

    Of two that are as likely, the first counts.
    """
    n_classes = p.shape[1]
    found = np.zeros((n_classes, n_classes), dtype=np.int64)
    for k in np.unique(y):
        of_class = p[y == k]
        own = of_class[:, [k]]
        found[k, :k] = (of_class[:, :k] >= own).sum(axis=0)
        found[k, k + 1 :] = (of_class[:, k + 1 :] > own).sum(axis=0)
    return found


CHECK = Check("classes", ("few_images", "imbalance", "same_text", "indistinct_classes"), find)
