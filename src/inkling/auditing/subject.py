"""What an audit looks at; what several checks need of it is worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from inkling.auditing.held_out import held_out_logits
from inkling.auditing.label_noise import LabelNoise
from inkling.classifier.fitted import labelled_vectors
from inkling.embeddings.samples import Samples
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import ClassEntry, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Images as heads see them that were not fitted on them.

    Attributes
    ----------
    rows
        Which of the samples they are, (n,).
    y
        Column of the label of each, (n,).
    p
        Probabilities of the right labels, (n, n_classes).
    p_wrong
        Probability that each label is wrong, (n,).
    share_wrong
        Estimated share of wrong labels.
    """

    rows: IntArray
    y: IntArray
    p: FloatArray
    p_wrong: FloatArray
    share_wrong: float


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
    def held_out(self) -> HeldOut:
        """Each image by heads that did not see it."""
        rows, logits = held_out_logits(self.vectors, seed=self.seed)
        y = self.vectors.y[rows]
        if not len(rows):
            return HeldOut(rows, y, np.zeros((0, len(self.entries))), np.zeros(0), 0.0)
        noise = LabelNoise.fit(logits, y, seed=self.seed)
        return HeldOut(rows, y, noise.probabilities(logits), noise.p_wrong(logits, y), noise.share)
