"""What an audit looks at; what several checks need of it is worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from inkling.auditing.judged_labels import JudgedLabels, judged_labels
from inkling.classifier.fitted import labelled_vectors
from inkling.embeddings.samples import Samples
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import ClassEntry


@dataclass(frozen=True, eq=False)
class Subject:
    """Labelled images, their vectors and class texts.

    Attributes
    ----------
    samples
        Images that could be read and have a label.
    entries
        The classes, in the order of their labels.
    against
        Images that the others are compared with, such as a test set; None without one.
    seed
        Draws the folds.
    """

    samples: Samples
    entries: tuple[ClassEntry, ...]
    against: Samples | None = None
    seed: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the columns."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def vectors(self) -> LabelledVectors:
        """The samples as heads take them."""
        return labelled_vectors(self.samples, self.entries)

    @property
    def why_no_labels(self) -> str | None:
        """Why labels can't be checked, in a sentence; None where they can."""
        counts = self.vectors.counts
        if (counts > 0).sum() < 2:
            return "labels can be compared where there are two classes with images"
        named = bool(self.vectors.has_text.all())
        return None if counts.max() > 1 or named else "one image a class leaves none to compare it with"

    @cached_property
    def held_out(self) -> JudgedLabels:
        """Each image by heads that did not see it."""
        return judged_labels(self.vectors, seed=self.seed)
