"""What an audit looks at; what several checks need of it is worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from inkling.auditing.held_out import few_to_hold_out
from inkling.auditing.judged_labels import JudgedLabels, judged_labels
from inkling.auditing.narrowed import narrow
from inkling.auditing.near_duplicates import Pair, Pictures, near_pairs
from inkling.classifier.fitted import labelled_vectors
from inkling.discovery.pool import components
from inkling.embeddings.samples import Samples
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.one_source import Bursts
from inkling.images.files import Files
from inkling.images.provenance import Provenance, provenance_of
from inkling.types import ClassEntry, FloatArray, ImageRecord, IntArray


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
    tuned
        Whether the encoder was tuned on the samples, labels included: no head is one that did not see them then.
    reads
        Pixels along the shorter side that the encoder reads; None where it isn't known.
    files
        Where the samples come from, by their paths; empty where that isn't at hand.
    """

    samples: Samples
    entries: tuple[ClassEntry, ...]
    against: Samples | None = None
    seed: int = 0
    tuned: bool = False
    reads: int | None = None
    files: Mapping[str, ImageRecord] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the columns."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def vectors(self) -> LabelledVectors:
        """The samples as heads take them."""
        return labelled_vectors(self.samples, self.entries)

    @cached_property
    def provenance(self) -> Mapping[str, Provenance]:
        """Metadata of the files that are at hand, by the paths of the samples."""
        with Files() as files:
            of_sample = {path: self.files[path] for path in self.samples.paths if path in self.files}
            return {path: provenance_of(record, files) for path, record in of_sample.items()}

    @cached_property
    def contents(self) -> IntArray:
        """The first row of each content."""
        return np.array(list(self.samples.first_rows.values()), dtype=np.int64)

    @cached_property
    def pictures(self) -> Pictures:
        """The contents as near-duplicates are found among them."""
        return Pictures.of(self.samples, self.contents)

    @cached_property
    def near_duplicates(self) -> tuple[Pair, ...]:
        """Pairs among the contents that show one picture."""
        return tuple(near_pairs(self.pictures))

    @cached_property
    def picture(self) -> IntArray:
        """Number of the picture that each of the contents shows."""
        pairs = np.array([(one.first, one.second) for one in self.near_duplicates], dtype=np.int64).reshape(-1, 2)
        return components(len(self.contents), np.arange(len(self.contents)), pairs)

    @cached_property
    def different(self) -> IntArray:
        """The first row of each picture."""
        _, places = np.unique(self.picture, return_index=True)
        return self.contents[np.sort(places)]

    @cached_property
    def telling(self) -> FloatArray:
        """Vectors that tell most of a picture, (n, d)."""
        return self.samples.telling

    @cached_property
    def leading(self) -> FloatArray:
        """The same of the different pictures; wide features of many along the directions of their greatest variance."""
        some = self.telling[self.different]
        return narrow(some) if self.samples.identity.feature_dimension else some

    @cached_property
    def bursts(self) -> Bursts:
        """Which of the different pictures come from one source."""
        rows = self.different
        return Bursts.of(self.telling[rows], self.vectors.y[rows], seed=self.seed)

    @property
    def why_no_labels(self) -> str | None:
        """Why labels can't be checked, in a sentence; None where they can."""
        if self.tuned:
            return "the encoder was tuned on these images, wrong labels included; audit them with another encoder"
        counts = self.vectors.counts
        if (counts > 0).sum() < 2:
            return "labels can be compared where there are two classes with images"
        if few_to_hold_out(self.vectors) and not self.vectors.has_text.all():
            return "most classes have one image, which leaves none to compare it with, and some have no text"
        return None

    @cached_property
    def held_out(self) -> JudgedLabels:
        """Each image by heads that did not see it."""
        return judged_labels(self.vectors, seed=self.seed)
