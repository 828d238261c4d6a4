"""Names whose texts the images of their classes don't match, where texts serve the other classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inkling.auditing.checks.check import Check
from inkling.auditing.findings import Finding
from inkling.auditing.subject import Subject
from inkling.types import FloatArray, IntArray
from inkling.wording import counted

LEAST = 4
"""Images of a class from which on its text can be said not to match."""
LEAST_OF_OTHERS = 6
"""Images of a class from which on it can be said to be of images of another one."""
NEAREST = 0.1
"""Share of its images that are nearest to a text which doesn't match, at most."""
NEARER = 0.1
"""Share of the other texts that are nearer to its median image, at least. Chosen with `NEAREST` on CLIP's vectors of
Caltech-101 and ImageNet with their texts: docs/decisions/audit.md."""
SERVES = 0.5
"""Share of the images of the median class that its text is nearest to, and of those of the class itself that heads
recognise, from which on the text is to blame: not all texts, and not the images."""
SURELY = 0.9
"""Share of its images that are nearest to the text of one other class, from which on they are likely of that class."""


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
    nearest = _nearest(cosines, y)
    served = _served(nearest)
    if not len(known) or np.median(served[known]) < SERVES:
        return
    recognised = _recognised(subject)[named]
    for k in known[nearest[known, known] <= NEAREST]:
        other = int(nearest[k].argmax())
        share = float(np.median(nearer[y == k].sum(axis=1))) / (len(named) - 1)
        of_other = nearest[k, other] >= SURELY and served[other] >= SERVES
        names = subject.classes[named[k]], subject.classes[named[other]]
        if recognised[k] >= SERVES and (of_other or share >= NEARER):
            yield _of_text(*names, int(counts[k]), nearest[k, k], share)
        elif of_other and counts[k] >= LEAST_OF_OTHERS:
            yield _of_images(*names, int(counts[k]), nearest[k, other])


def _nearest(cosines: FloatArray, y: IntArray) -> FloatArray:
    """Share of the images of each class that are nearest to each text, (n_texts, n_texts)."""
    n = cosines.shape[1]
    shares = np.bincount(y * n + cosines.argmax(axis=1), minlength=n * n).reshape(n, n)
    return np.asarray(shares / np.maximum(np.bincount(y, minlength=n), 1)[:, None])


def _served(nearest: FloatArray) -> FloatArray:
    """Share of the images of each class that are nearest to its text, or to that of a class that it is swapped with."""
    swapped = np.minimum(nearest, nearest.T)
    np.fill_diagonal(swapped, nearest.diagonal())
    return np.asarray(swapped.max(axis=1))


def _recognised(subject: Subject) -> FloatArray:
    """Share of the images of each class that heads recognise which did not see them, (n_classes,)."""
    seen, n = subject.held_out, len(subject.classes)
    right = np.bincount(seen.y[seen.p.argmax(axis=1) == seen.y], minlength=n)
    return np.asarray(right / np.maximum(np.bincount(seen.y, minlength=n), 1))


def _of_text(name: str, other: str, n: int, first: float, share: float) -> Finding:
    told = f"Of {counted(n, 'image')} of {name}, {first:.0%} are nearest to its text; the median one is nearer to "
    told += f"{share:.0%} of the other texts, and most are nearest to that of {other}, while heads recognise the class."
    suggestion = "Is it what the encoder takes the name for? 'inkling prompts' tries other names."
    return Finding("name_mismatch", (), told, 0.5 + share / 2.0, suggestion, (name, other))


def _of_images(name: str, other: str, n: int, share: float) -> Finding:
    told = (
        f"Of {counted(n, 'image')} of {name}, {share:.0%} are nearest to the text of {other}, as those of {other} are."
    )
    suggestion = f"Are they images of {other} that were filed under the wrong name?"
    return Finding("name_mismatch", (), told, float(share), suggestion, (name, other))


def _lacks(subject: Subject) -> str | None:
    if subject.vectors.has_text.sum() < 2:
        return "fewer than two classes have a text"
    if subject.vectors.counts[subject.vectors.has_text].max() < LEAST:
        return f"classes have fewer than {LEAST} images"
    return subject.why_no_labels


CHECK = Check("names", ("name_mismatch",), find, lacks=_lacks)
