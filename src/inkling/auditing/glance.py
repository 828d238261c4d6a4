"""What fitting shows about its images at no further cost: wrong labels, copies and conflicts.

Labels are judged by the out-of-fold logits that calibration has anyway; `inkling.audit` looks closer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inkling.auditing.judged_labels import LIKELY, judged_by
from inkling.classifier.fitted import FittedClassifier
from inkling.embeddings.samples import Samples
from inkling.images.boxes import source_of
from inkling.wording import counted

SHOWN_PATHS = 3


@dataclass(frozen=True)
class DoubtfulLabel:
    """A label that is likely wrong.

    Attributes
    ----------
    path
        The image.
    label, instead
        Its label, and the class that is likelier.
    probability
        That the label is wrong.
    """

    path: str
    label: str
    instead: str
    probability: float


@dataclass(frozen=True)
class Glance:
    """What is worth a look before a classifier is used.

    Attributes
    ----------
    doubtful
        Labels that are likely wrong, the surest first. Where there are many images a sample of them was judged.
    conflicts
        Paths of each file that lies under several labels.
    copies
        Paths of each file that lies several times under one label.
    sources
        Paths of images of one class that come from one source, such as a burst or a video.
    """

    doubtful: tuple[DoubtfulLabel, ...]
    conflicts: tuple[tuple[str, ...], ...]
    copies: tuple[tuple[str, ...], ...]
    sources: tuple[tuple[str, ...], ...]

    @property
    def finding(self) -> str | None:
        """All of it in one sentence; None where there is nothing to look at."""
        told = [*self._told()]
        return f"Worth a look: {'; '.join(told)}." if told else None

    def _told(self) -> Iterator[str]:
        if self.doubtful:
            first, expected = self.doubtful[0], sum(one.probability for one in self.doubtful)
            yield (
                f"{counted(len(self.doubtful), 'label')} likely wrong, of which about {expected:.0f} will be, such as "
                f"{first.path} ({first.label}, or {first.instead}?)"
            )
        if self.conflicts:
            yield f"{counted(len(self.conflicts), 'image')} under several labels, such as {_some(self.conflicts[0])}"
        if self.copies:
            yield f"{counted(len(self.copies), 'image')} more than once in a class, such as {_some(self.copies[0])}"
        if self.sources:
            images = counted(sum(map(len, self.sources)), "image")
            yield f"{images} in {counted(len(self.sources), 'burst')} or video, such as {_some(self.sources[0])}"


def glance(fitted: FittedClassifier) -> Glance:
    """Look at what a classifier was fitted on.

    Parameters
    ----------
    fitted
        One that was read from a memory has no out-of-fold logits, so its labels are not judged.
    """
    conflicts = fitted.samples.contradictions
    contradicted = {path for paths in conflicts for path in paths}
    copies = tuple(paths for paths in _copies(fitted.samples) if not contradicted & set(paths))
    return Glance(_doubtful(fitted), conflicts, copies, tuple(_of_one_source(fitted)))


def _doubtful(fitted: FittedClassifier) -> tuple[DoubtfulLabel, ...]:
    held_out, samples, classes = fitted.fitted_head.held_out, fitted.samples, fitted.classes
    if held_out is None or not len(held_out.rows):
        return ()
    views = np.asarray(samples.views)[held_out.rows]
    rows, logits = held_out.rows[views == 0], held_out.logits[views == 0]
    column = {name: k for k, name in enumerate(classes)}
    y = np.array([column[str(samples.labels[row])] for row in rows], dtype=np.int64)
    found = judged_by(logits, y, rows, seed=fitted.seed)
    others = found.p.copy()
    others[np.arange(len(y)), y] = -1.0
    wrong = [at for at in np.argsort(-found.p_wrong, kind="stable") if found.p_wrong[at] >= LIKELY]
    return tuple(
        DoubtfulLabel(samples.paths[rows[at]], classes[y[at]], classes[others[at].argmax()], float(found.p_wrong[at]))
        for at in wrong
    )


def _of_one_source(fitted: FittedClassifier) -> Iterator[tuple[str, ...]]:
    """Groups that were found; those that the user named are no news."""
    samples = fitted.samples
    if samples.groups is None or samples.groups.given:
        return
    paths = {content: samples.paths[row] for content, row in samples.first_rows.items()}
    for group in samples.groups.members.values():
        shown = [content for content in group if content in paths]
        # Boxes in one picture have its source in common, and nobody took them for different.
        if len({source_of(content) for content in shown}) > 1:
            yield tuple(paths[content] for content in shown)


def _some(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:SHOWN_PATHS])


def _copies(samples: Samples) -> Iterator[tuple[str, ...]]:
    """Paths of each content that lies in several files."""
    places: dict[str, dict[str, None]] = {}
    for content, path in zip(samples.content_hashes, samples.paths, strict=True):
        places.setdefault(content, {})[path] = None
    yield from (tuple(paths) for paths in places.values() if len(paths) > 1)
