"""Learning from more vectors than memory holds, as a classifier offers it. Libraries wait until it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self

from inkling.classifier.detection import with_detector
from inkling.classifier.fitted import FittedClassifier
from inkling.classifier.inputs import warn_of_skipped
from inkling.classifier.parents import Parents, read_parents
from inkling.classifier.vocabularies import require_no_vocabulary
from inkling.discovery.vocabulary import Vocabulary
from inkling.embeddings.embed import Progress
from inkling.embeddings.parts import VectorParts, vector_parts
from inkling.encoders.identity import check_encoder
from inkling.errors import InputError, require
from inkling.types import ClassEntry
from inkling.unknown import Negatives


class Engine(Protocol):
    """What runs the work, as `inkling.bulk.engines` has it."""

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Results in the order of the items, from wherever it is done."""


class FitsInOnePass:
    """A classifier that can learn from more vectors than memory holds."""

    head: str
    seed: int
    false_alarms: float | None
    vocabulary: Vocabulary | None
    parents: Parents | None
    fitted: FittedClassifier
    encoder: Any

    def fit_in_one_pass(
        self,
        vectors: str | Path | VectorParts,
        *,
        in_words: bool = False,
        views: int | None = None,
        engine: Engine | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from any number of vectors in Parquet files, each read once.

        A head in closed form comes from counts, sums and scatter of the classes, and equals that of all vectors at once
        but for rounding. A sample of each class is kept: it calibrates the head and the detector of unknown images, by
        images that were held out, and stands in the memory.

        Parameters
        ----------
        vectors
            A folder or URL of Parquet files with columns ``embedding`` and ``label``, or one such file.
        in_words
            As for `fit_precomputed`.
        views
            How many views of its image each vector is the mean of; None: as the files say.
        engine
            What does the work, as `inkling.bulk.engines.HereEngine`; None: threads of this process. The result is the
            same.
        progress
            Called with the number of vectors done.

        Raises
        ------
        InputError
            If the head needs all vectors at once, there are none, or too few to hold any out.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from pyarrow import parquet
        >>> X, y = np.random.default_rng(0).normal(size=(200, 4)), np.arange(200) % 4
        >>> parquet.write_table(pa.table({"embedding": list(X + 3 * np.eye(4)[y]), "label": y}), "many.parquet")
        >>> FewShotClassifier(head="gda").fit_in_one_pass("many.parquet").fitted.one_pass["vectors"]
        200
        """
        require("pyarrow", extra="parquet", purpose="Fitting in one pass")
        from inkling.classifier.one_pass import fit_one_pass, map_here, pass_over

        parts = vectors if isinstance(vectors, VectorParts) else vector_parts(vectors)
        if parts is None:
            raise InputError(
                f"'{vectors}' holds no embeddings.", remedy="Name a folder of .parquet files with embeddings."
            )
        run = map_here if engine is None else engine.map
        found = pass_over(parts, head=self.head, seed=self.seed, run=run, progress=progress).of_views(views)
        names = found.seen.classes
        entries: Sequence[ClassEntry] = [ClassEntry(name) for name in names]
        negatives = None
        if in_words:
            check_encoder(found.identity, self.encoder.identity, made="The vectors were made")
            entries = self._encode_class_texts(names)
            negatives = self._negatives(entries)
        else:
            require_no_vocabulary(self.vocabulary)
        fitted = fit_one_pass(found, entries, head=self.head, seed=self.seed)
        fitted = replace(fitted, hierarchy=read_parents(self.parents, fitted.classes))
        self.fitted = with_detector(fitted, false_alarms=self.false_alarms, negatives=negatives)
        warn_of_skipped(self.fitted.samples.skipped, stacklevel=3)
        return self

    def _encode_class_texts(self, names: Collection[str]) -> tuple[ClassEntry, ...]:
        raise NotImplementedError

    def _negatives(self, entries: Sequence[ClassEntry]) -> Negatives | None:
        raise NotImplementedError
