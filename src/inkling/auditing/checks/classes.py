"""Classes as wholes: too few images, far fewer than others, two that the encoder can't tell apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
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
    counts = dict(zip(subject.classes, _sources(subject), strict=True))
    most = max(counts.values())
    for name, count in counts.items():
        if count < FEW:
            told = f"{name} has {counted(count, 'image')}."
            suggestion = f"Add images; up to {FEW} each one helps much."
            yield Finding("few_images", (), told, 1.0 - count / FEW, suggestion, (name,))
        elif count * TIMES_FEWER <= most:
            told = f"{name} has {counted(count, 'image')}, the largest class {most}."
            suggestion = "Add images of it before those of others."
            yield Finding("imbalance", (), told, 1.0 - count / most, suggestion, (name,))
    yield from _same_text(subject)
    if subject.why_no_labels is None:
        yield from _indistinct(subject)


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


def _sources(subject: Subject) -> list[int]:
    """Different images of each class."""
    vectors = subject.vectors
    return [len(np.unique(vectors.sources[vectors.y == k])) for k in range(vectors.n_classes)]


def _indistinct(subject: Subject) -> Iterator[Finding]:
    seen = subject.held_out
    for a, b in combinations(range(len(subject.classes)), 2):
        of_two = np.isin(seen.y, (a, b))
        if of_two.sum() < LEAST_TO_COMPARE:
            continue
        share = float((seen.p[of_two][:, [a, b]].argmax(axis=1) != (seen.y[of_two] == b)).mean())
        if share >= MIXED:
            names = subject.classes[a], subject.classes[b]
            told = f"Of {of_two.sum()} images of {names[0]} or {names[1]}, {share:.0%} go to the other out of fold."
            suggestion = "Are they two names of one class? Else another encoder, or fine-tuning, may tell them apart."
            yield Finding("indistinct_classes", (), told, min(2 * share, 1.0), suggestion, names)


CHECK = Check("classes", find)
