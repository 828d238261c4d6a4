"""Predictions of a fitted classifier for images and vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkling.classifier.fitted import FittedClassifier, labelled_rows, reopen_encoder, require_readable
from inkling.classifier.frames import verdict_frame
from inkling.classifier.inputs import (
    Errors,
    checked_vectors,
    report_unread,
    samples_to_judge,
    vectors_among,
    warn_of_skipped,
)
from inkling.classifier.promises import NOTHING, Promises
from inkling.classifier.vocabularies import namer_for
from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.checks import same_length
from inkling.embeddings.embed import Progress, iter_embedded
from inkling.embeddings.samples import Samples, embed_samples, samples_of
from inkling.encoders.base import Encoder
from inkling.errors import EncoderError
from inkling.heads.labelled_vectors import columns_of
from inkling.images.handed_over import records_of
from inkling.labels import read_labels
from inkling.types import FloatArray, ImageRecord, SkippedImage, Verdict

BACKGROUND = 10_000
"""Training images that tell how near a name is to images in general."""


class Predictor:
    """Labels, probabilities and verdicts; the subclass gives what was fitted, and the encoder.

    Attributes
    ----------
    vocabulary
        Names that unknown images may get; None: common nouns.
    memory_version
        Version of the memory; None where there is none.
    naming
        Called with the progress of encoding a vocabulary, which may take a minute.
    """

    naming: Progress | None = None
    vocabulary: Vocabulary | None
    memory_version: int | None
    _cache: bool | str | Path
    _namer: Namer | None

    @property
    def fitted(self) -> FittedClassifier:
        """What fitting made of the labelled images."""
        raise NotImplementedError

    @property
    def encoder(self) -> Encoder:
        """The encoder of the images."""
        raise NotImplementedError

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels of the known classes, in the order of the columns: numbers if fitted with numbers, else text."""
        return self.fitted.labels

    @property
    def finding_(self) -> str:
        """What fitting found out, in one sentence."""
        return self.fitted.fitted_head.finding

    @property
    def skipped_(self) -> tuple[SkippedImage, ...]:
        """Training images that were not used, and why."""
        return self.fitted.samples.skipped

    def predict(self, images: Any, *, errors: Errors = "raise") -> NDArray[Any]:
        """Label of each image, or vector, (n,).

        Parameters
        ----------
        images
            As for `fit`.
        errors
            What to do about images that can't be read: ``raise``, or ``skip`` to warn and give None for them.

        Raises
        ------
        InputError
            If an image can't be read.

        Examples
        --------
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> classifier.predict(["photos/test/cat/cat-0000.png"]).tolist()
        ['cat']
        """
        p = self.predict_proba(images, errors=errors)
        unread = np.isnan(p[:, 0])
        found: NDArray[Any] = self.classes_[np.where(unread[:, None], 0.0, p).argmax(axis=1)]
        if unread.any():
            found = found.astype(object)
            found[unread] = None
        return found

    def predict_proba(self, images: Any, *, errors: Errors = "raise") -> FloatArray:
        """Calibrated probabilities (n, n_classes) in the order of `classes_`; NaN for an image that was skipped.

        The parameters are those of `predict`.

        Examples
        --------
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> classifier.predict_proba(["photos/test/cat/cat-0000.png"]).shape
        (1, 3)
        """
        if (vectors := vectors_among(images)) is not None:
            return self.probabilities(vectors)
        records = records_of(images)
        samples = self.embed(records)
        report_unread(samples.skipped, errors)
        p = np.full((len(records), len(self.classes_)), np.nan)
        read = np.isin([record.path for record in records], samples.paths)
        if read.any():
            p[read] = self.probabilities(samples.X)
        return p

    def predict_frame(self, images: Any, *, top: int = 1, errors: Errors = "raise") -> Any:
        """Verdicts as a data frame of pandas, one row an image, in their order.

        Its columns are ``path``, ``label``, ``probability``, ``unknown``, ``p_known``, then ``top2_label``,
        ``top2_probability`` and so on, and ``error`` for images that were skipped.

        Parameters
        ----------
        images, errors
            As for `predict`.
        top
            Likeliest classes to name.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.

        Examples
        --------
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> frame = classifier.predict_frame("photos/test", top=2)
        >>> list(frame.columns[:3])
        ['path', 'label', 'probability']
        """
        is_vectors = vectors_among(images) is not None
        given = images if is_vectors else records_of(images)
        found = list(self.verdicts(given, top=top))
        report_unread([one for one in found if isinstance(one, SkippedImage)], errors)
        paths = [one.path for one in (found if is_vectors else given)]
        return verdict_frame(paths, found, kind=self.fitted.samples.label_kind, top=top)

    def score(self, images: Any, labels: Any = None) -> float:
        """Top-1 accuracy on labelled images that can be read, or on vectors; others are left out with a warning.

        Examples
        --------
        >>> FewShotClassifier.load("vehicles.ink").score("photos/test")
        1.0
        """
        if (vectors := vectors_among(images)) is not None:
            names, X = read_labels(labels).names, checked_vectors(vectors, self.fitted.samples.identity)
            same_length("labels", len(names), len(X))
            rows, skipped = labelled_rows([f"row {row}" for row in range(len(X))], names)
            names, X = tuple(names[row] for row in rows), X[rows]
        else:
            records = records_of(images, labels, split="test")
            rows, unlabelled = labelled_rows([one.path for one in records], [one.label for one in records])
            samples = self.embed([records[row] for row in rows]).also_skipped(unlabelled)
            require_readable(samples)
            names, X, skipped = samples.labels, samples.X, samples.skipped
        warn_of_skipped(skipped, stacklevel=3)
        return float(np.mean(self.probabilities(X).argmax(axis=1) == columns_of(names, self.fitted.classes)))

    def predict_embeddings(self, X: Any) -> NDArray[Any]:
        """Label of each vector, (n,).

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat([2, 5, 10, 11], 5)
        >>> FewShotClassifier(head="prototype").fit_embeddings(X, y).predict_embeddings(X[[0, 5]])
        array([2, 5])
        """
        return np.asarray(self.classes_[self.probabilities(X).argmax(axis=1)])

    def probabilities(self, X: Any) -> FloatArray:
        """Calibrated probabilities (n, n_classes) of vectors (n, d + f).

        Raises
        ------
        InputError
            If they are not finite numbers of the width that the classifier learned from, or one is zeros alone.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat([2, 5, 10, 11], 5)
        >>> p = FewShotClassifier(head="prototype").fit_embeddings(X, y).probabilities(X)
        >>> p.shape, bool(np.allclose(p.sum(axis=1), 1))
        ((20, 4), True)
        """
        fitted = self.fitted
        return fitted.fitted_head.probabilities(checked_vectors(X, fitted.samples.identity))

    def embed(self, records: Sequence[ImageRecord], *, progress: Progress | None = None) -> Samples:
        """Vectors of images by the encoder that the classifier was trained on.

        Raises
        ------
        EncoderError, EncoderMismatchError
            If it cannot be opened, or is another one now.

        Examples
        --------
        >>> from inkling.images.sources import find_images
        >>> samples = FewShotClassifier.load("vehicles.ink").embed(find_images("photos/test").records)
        >>> len(samples), samples.labels[0]
        (9, 'castle')
        """
        encoder = reopen_encoder(self.fitted.samples.identity, lambda: self.encoder)
        with opened_cache(self._cache) as cache:
            return embed_samples(records, encoder, cache=cache, progress=progress)

    def verdicts(
        self,
        images: Any,
        *,
        top: int = 5,
        progress: Progress | None = None,
        observe: Callable[[Samples], None] | None = None,
        names: int = 0,
        promises: Promises = NOTHING,
    ) -> Iterator[Verdict | SkippedImage]:
        """Verdicts for many images, in order within batches, in memory that does not grow.

        Parameters
        ----------
        images
            As for `fit`; labels are not looked at. Vectors are named by their rows.
        top
            Classes to name for each image.
        progress
            Called with the progress.
        observe
            Sees the vectors of each batch before its verdicts are given.
        names
            How many likely names to give to each unknown image; the vocabulary is encoded when the first comes.
        promises
            What else is asked for: sets at a coverage, answers at an error rate.

        Examples
        --------
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> for verdict in classifier.verdicts(["inbox/car-0000.png", "photos/test/tree/tree-0000.png"]):
        ...     print(verdict.path, "unknown" if verdict.unknown else verdict.label)
        inbox/car-0000.png unknown
        photos/test/tree/tree-0000.png tree
        """
        if (vectors := vectors_among(images)) is not None:
            yield from self.judge_embeddings(vectors, top=top, names=names, promises=promises)
            return
        records = records_of(images)
        encoder = reopen_encoder(self.fitted.samples.identity, lambda: self.encoder)
        with opened_cache(self._cache) as cache:
            for part in iter_embedded(records, encoder, cache=cache, progress=progress):
                samples = samples_of(part, encoder.identity)
                if observe is not None:
                    observe(samples)
                yield from self.judge(samples, top=top, names=names, promises=promises)
                yield from part.skipped

    def judge(self, samples: Samples, *, top: int = 5, names: int = 0, promises: Promises = NOTHING) -> list[Verdict]:
        """Verdict on each sample; the options are those of `verdicts`.

        Examples
        --------
        >>> from inkling.images.sources import find_images
        >>> classifier = FewShotClassifier.load("vehicles.ink")
        >>> verdicts = classifier.judge(classifier.embed(find_images("photos/test").records), top=2)
        >>> verdicts[0].label, len(verdicts[0].top_labels)
        ('castle', 2)
        """
        likely = partial(self.likely_names, count=names) if names else None
        version = self.memory_version
        return self.fitted.judge(samples, top=top, memory_version=version, names=likely, promises=promises)

    def judge_embeddings(
        self, X: Any, *, top: int = 5, names: int = 0, promises: Promises = NOTHING, views: int | None = None
    ) -> list[Verdict]:
        """Verdict on each vector (n, d + f), its path ``row 0`` and so on; the other options are those of `verdicts`.

        Parameters
        ----------
        views
            How many views of its image each vector is the mean of; None: single views.

        Raises
        ------
        InputError
            As for `probabilities`.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat(["ant", "bee", "cat", "dog"], 5)
        >>> (verdict,) = FewShotClassifier(head="prototype").fit_embeddings(X, y).judge_embeddings(X[:1])
        >>> verdict.path, verdict.label
        ('row 0', 'ant')
        """
        samples = samples_to_judge(X, self.fitted.samples.identity, views=views)
        return self.judge(samples, top=top, names=names, promises=promises)

    def namer(self, background: FloatArray | None = None) -> Namer:
        """Names of the vocabulary with their text vectors, but for those that known classes have.

        Parameters
        ----------
        background
            Embeddings (m, d) of images in general, by which names that suit every image are held back. None: those that
            the classifier was trained on, 10,000 at most.

        Returns
        -------
        Namer
            Without a name where no encoder is at hand, as for vectors of the caller's own.

        Raises
        ------
        EncoderError, EncoderMismatchError
            If there is no such encoder, though the classifier was given a vocabulary.

        Examples
        --------
        >>> from inkling.discovery.vocabulary import Vocabulary
        >>> from inkling.images.sources import find_images
        >>> classifier = FewShotClassifier.load("vehicles.ink", vocabulary=Vocabulary.of_names(["car", "cup", "snail"]))
        >>> samples = classifier.embed(find_images("inbox").records)
        >>> classifier.namer().of_each(samples.embeddings[:1], count=1)
        [('car',)]
        """
        fitted = self.fitted
        try:
            encoder = reopen_encoder(fitted.samples.identity, lambda: self.encoder)
        except EncoderError:
            if self.vocabulary is not None:
                raise
            d = fitted.samples.identity.dimension
            return Namer.of([], np.zeros((0, d)), np.ones((1, d)), vocabulary=common_nouns())
        images = fitted.samples.background(BACKGROUND) if background is None else background
        words = self.vocabulary or common_nouns()
        with opened_cache(self._cache) as cache:
            return namer_for(
                words, encoder=encoder, cache=cache, background=images, entries=fitted.entries, progress=self.naming
            )

    def likely_names(self, embeddings: FloatArray, *, count: int) -> list[tuple[str, ...]]:
        """So many names of the vocabulary for each embedding (n, d), likeliest first; it is encoded at the first call.

        Examples
        --------
        >>> from inkling.discovery.vocabulary import Vocabulary
        >>> from inkling.images.sources import find_images
        >>> classifier = FewShotClassifier.load("vehicles.ink", vocabulary=Vocabulary.of_names(["car", "cup", "snail"]))
        >>> classifier.likely_names(classifier.embed(find_images("inbox").records).embeddings[:1], count=1)
        [('car',)]
        """
        if self._namer is None:
            self._namer = self.namer()
        return self._namer.of_each(embeddings, count=count)
