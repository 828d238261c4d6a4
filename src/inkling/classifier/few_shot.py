"""The object that users hold: an encoder, labelled samples, and a calibrated head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from inkling.classifier.class_texts import given_entries, put_into_words
from inkling.classifier.detection import with_detector
from inkling.classifier.fitted import (
    FittedClassifier,
    fit_classifier,
    labelled_rows,
    reopen_encoder,
    require_classes,
    require_readable,
)
from inkling.classifier.persistence import from_memory, to_memory
from inkling.classifier.tuning import Tuning
from inkling.classifier.vocabularies import namer_for, negatives_for
from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress, iter_embedded
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, given_samples, precomputed_samples, samples_of
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_encoder
from inkling.errors import EncoderError, InputError
from inkling.heads import head_class
from inkling.images.handed_over import records_of
from inkling.prompts import ClassPrompts, resolve_templates
from inkling.provenance import current_command
from inkling.types import ClassEntry, FloatArray, ImageRecord, SkippedImage, Verdict
from inkling.unknown import Negatives

MAX_SEED = 2**32 - 1
"""As far as all libraries go that draw from it."""


class FewShotClassifier:
    """Learn visual classes from a handful of images each.

    Parameters
    ----------
    encoder
        Name or folder that `inkling.encoders.registry.load_encoder` opens, or an encoder.
    head
        ``auto``, or the name of one of `inkling.heads.HEADS`.
    seed
        Seed of every random choice.
    views
        Views of each training image: 1 is the image itself, more add augmented ones.
    templates
        Prompts for class names: a set (``default``, ``simple``, ``imagenet``), a template with ``{}``, or several.
    prompts
        Own prompts, aliases and disambiguations of some classes. A class that stands here and has no image is known
        by its text alone.
    false_alarms
        Rate at which images of known classes may be called unknown. None: one in twenty, and nothing is called unknown
        where the images can't support that.
    vocabulary
        Names of things at large. Images are held against those that no known class has, to tell the unknown, and
        unknown images get the likeliest. None: they get common nouns, and nothing is held against names.
    device, precision
        Where and how exactly the encoder computes.
    cache
        Where embeddings are kept: True for the user's cache, a folder, or False for nowhere.
    """

    def __init__(
        self,
        encoder: str | Path | Encoder = DEFAULT_FOR_PHOTOGRAPHS,
        *,
        head: str = "auto",
        seed: int = 0,
        views: int = 1,
        templates: str | Sequence[str] | None = None,
        prompts: Sequence[ClassPrompts] = (),
        false_alarms: float | None = None,
        vocabulary: Vocabulary | None = None,
        device: str = "auto",
        precision: str = "float32",
        cache: bool | str | Path = True,
    ) -> None:
        head_class(head)
        resolve_templates(templates)
        if views < 1:
            raise InputError(f"views must be 1 or more, got {views}.", remedy="1 is the image itself.")
        if not 0 <= seed <= MAX_SEED:
            raise InputError(f"seed must be a number from 0 to {MAX_SEED}, got {seed}.")
        self.head = head
        self.seed = seed
        self.views = views
        self.templates = templates
        self.prompts = tuple(prompts)
        self.false_alarms = false_alarms
        self.vocabulary = vocabulary
        self.memory_version: int | None = None
        self._encoder, self._device, self._precision = encoder, device, precision
        self._cache = cache
        self._fitted: FittedClassifier | None = None
        self._namer: Namer | None = None

    def __repr__(self) -> str:
        if self._fitted is None:
            name = self._encoder if isinstance(self._encoder, str | Path) else self._encoder.identity.name
            return f"FewShotClassifier(encoder={str(name)!r}, head={self.head!r}, not fitted)"
        samples = self._fitted.samples
        return (
            f"FewShotClassifier(encoder={samples.identity.name!r}, head={self.head!r}, "
            f"{len(self.classes_)} classes from {samples.n_images} images)"
        )

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, its weights not loaded before they are needed.

        Raises
        ------
        EncoderError
            If it cannot be opened.
        """
        if isinstance(self._encoder, str | Path):
            return load_encoder(self._encoder, device=self._device, precision=self._precision)
        return self._encoder

    @property
    def fitted(self) -> FittedClassifier:
        """What fitting made of the labelled images.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if self._fitted is None:
            raise InputError("The classifier is not fitted.", remedy="Call fit, or load a memory.")
        return self._fitted

    @fitted.setter
    def fitted(self, fitted: FittedClassifier) -> None:
        self._fitted, self._namer = fitted, None

    @property
    def classes_(self) -> tuple[str, ...]:
        """Names of the known classes, sorted."""
        return self.fitted.classes

    @property
    def finding_(self) -> str:
        """What fitting found out, in one sentence."""
        return self.fitted.fitted_head.finding

    @property
    def skipped_(self) -> tuple[SkippedImage, ...]:
        """Training images that were not used, and why."""
        return self.fitted.samples.skipped

    def fit(self, images: Any, labels: Sequence[Any] | None = None, *, progress: Progress | None = None) -> Self:
        """Learn from labelled images.

        Parameters
        ----------
        images
            A folder of class folders, or any source that `inkling.images.sources.find_images` reads; or a sequence of
            paths, PIL images or arrays.
        labels
            Label of each image; None where the source tells.
        progress
            Is told how far embedding is.

        Raises
        ------
        InputError
            If there are no labels, or fewer than two classes.
        """
        records = records_of(images, labels, split="train")
        rows, unlabelled = labelled_rows([one.path for one in records], [one.label for one in records])
        names = {str(records[row].label) for row in rows}
        require_classes({*names, *(entry.name for entry in self.prompts)})
        entries = self._put_into_words(names)
        with opened_cache(self._cache) as cache:
            samples = embed_samples(
                [records[row] for row in rows], self.encoder, cache=cache, views=self.views, progress=progress
            )
        return self.learn(samples.also_skipped(unlabelled), entries, negatives=self._negatives(entries))

    def fit_embeddings(
        self,
        X: FloatArray,
        y: Sequence[Any],
        *,
        text_vectors: FloatArray | None = None,
        class_names: Sequence[str] | None = None,
        logit_scale: float = 100.0,
    ) -> Self:
        """Learn from vectors of your own, without an encoder.

        Parameters
        ----------
        X
            Embeddings (n, d).
        y
            Label of each, (n,).
        text_vectors
            Text vectors (n_classes, d), zeros or NaN where a class has none; None to go by images alone.
        class_names
            Names of the rows of `text_vectors`; None: the labels, sorted.
        logit_scale
            Factor on cosines to texts.
        """
        samples = given_samples(X, y, logit_scale=logit_scale)
        names = {label for label in samples.labels if label is not None}
        self._require_no_vocabulary()
        return self.learn(
            samples, given_entries(names, sorted(names) if class_names is None else class_names, text_vectors)
        )

    def fit_precomputed(self, vectors: Precomputed, *, in_words: bool = False) -> Self:
        """Learn from a file of vectors.

        Parameters
        ----------
        vectors
            As `inkling.embeddings.precomputed.read_precomputed` reads them.
        in_words
            Have the encoder put the classes into words; it must be the one that made the vectors. Otherwise the text
            vectors count that the file brings.
        """
        samples = precomputed_samples(vectors)
        names = {label for label in samples.labels if label is not None}
        if not in_words:
            self._require_no_vocabulary()
            return self.learn(samples, given_entries(names, vectors.class_names, vectors.text_vectors))
        check_encoder(vectors.identity, self.encoder.identity, made="The vectors were made")
        entries = self._put_into_words(names)
        return self.learn(samples, entries, negatives=self._negatives(entries))

    def learn(
        self,
        samples: Samples,
        entries: Sequence[ClassEntry],
        *,
        negatives: Negatives | None = None,
        tuning: Tuning | None = None,
    ) -> Self:
        """Learn from samples and classes in words, which the other ways to fit make of what they are given.

        A class whose images could not be read is known by its text, if it has one.

        Parameters
        ----------
        samples
            Vectors with labels; rows without are skipped.
        entries
            The classes.
        negatives
            Names that no known class has, in the encoder's words.
        tuning
            What is known of it where the encoder was tuned on these samples; no row may be without a label then.
        """
        require_readable(samples)
        rows, unlabelled = labelled_rows(samples.paths, samples.labels)
        samples = samples.keep(rows).also_skipped(unlabelled)
        known = [entry for entry in entries if entry.text_vector is not None or entry.name in samples.labels]
        spaces = None if tuning is None else tuning.fold_spaces
        fitted = fit_classifier(samples, known, head=self.head, seed=self.seed, fold_spaces=spaces)
        self.fitted = with_detector(fitted, false_alarms=self.false_alarms, negatives=negatives, tuning=tuning)
        self.memory_version = None
        return self

    def predict(self, images: Any) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Label of each image, (n,); None for an image that cannot be read."""
        p = self.predict_proba(images)
        return np.array([None if np.isnan(row[0]) else self.classes_[row.argmax()] for row in p], dtype=object)

    def predict_proba(self, images: Any) -> FloatArray:
        """Calibrated probabilities (n, n_classes) in the order of `classes_`; NaN for an image that cannot be read."""
        records = records_of(images)
        samples = self.embed(records)
        p = np.full((len(records), len(self.classes_)), np.nan)
        read = np.isin([record.path for record in records], samples.paths)
        if read.any():
            p[read] = self.probabilities(samples.X)
        return p

    def score(self, images: Any, labels: Sequence[Any] | None = None) -> float:
        """Top-1 accuracy on labelled images that can be read."""
        records = records_of(images, labels, split="test")
        rows, _ = labelled_rows([one.path for one in records], [one.label for one in records])
        samples = self.embed([records[row] for row in rows])
        require_readable(samples)
        return float(np.mean(self.predict_embeddings(samples.X) == np.array(samples.labels, dtype=object)))

    def predict_embeddings(self, X: FloatArray) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Label of each vector, (n,)."""
        names = np.array(self.classes_, dtype=object)
        return np.asarray(names[self.probabilities(X).argmax(axis=1)], dtype=object)

    def probabilities(self, X: FloatArray) -> FloatArray:
        """Calibrated probabilities (n, n_classes) of vectors (n, d + f)."""
        return self.fitted.fitted_head.probabilities(np.asarray(X))

    def embed(self, records: Sequence[ImageRecord], *, progress: Progress | None = None) -> Samples:
        """Vectors of images by the encoder that the classifier was taught with.

        Raises
        ------
        EncoderError, EncoderMismatchError
            If it cannot be opened, or is another one now.
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
    ) -> Iterator[Verdict | SkippedImage]:
        """What the classifier says of each image, in order within batches, in memory that does not grow.

        Parameters
        ----------
        images
            As for `fit`; labels are not looked at.
        top
            Classes to name for each image.
        progress
            Is told how far it is.
        observe
            Sees the vectors of each batch before its verdicts are given.
        names
            How many likely names to give to each unknown image; the vocabulary is put into words when the first comes.
        """
        records = records_of(images)
        encoder = reopen_encoder(self.fitted.samples.identity, lambda: self.encoder)
        with opened_cache(self._cache) as cache:
            for part in iter_embedded(records, encoder, cache=cache, progress=progress):
                samples = samples_of(part, encoder.identity)
                if observe is not None:
                    observe(samples)
                yield from self.judge(samples, top=top, names=names)
                yield from part.skipped

    def judge(self, samples: Samples, *, top: int = 5, names: int = 0) -> list[Verdict]:
        """Verdict on each sample; `names` is as for `verdicts`."""
        likely = partial(self._likely_names, count=names) if names else None
        return self.fitted.judge(samples, top=top, memory_version=self.memory_version, names=likely)

    def namer(self, background: FloatArray | None = None) -> Namer:
        """Names of the vocabulary in the encoder's words, but for those that known classes have.

        Parameters
        ----------
        background
            Embeddings (m, d) of images at large, by which names that suit every image are held back. None: those that
            the classifier was taught with.

        Returns
        -------
        Namer
            Without a name where no encoder is at hand, as for vectors of the caller's own.

        Raises
        ------
        EncoderError, EncoderMismatchError
            If there is no such encoder, though the classifier was given a vocabulary.
        """
        fitted = self.fitted
        images = fitted.samples.embeddings if background is None else background
        try:
            encoder = reopen_encoder(fitted.samples.identity, lambda: self.encoder)
        except EncoderError:
            if self.vocabulary is not None:
                raise
            return Namer.of([], np.zeros((0, images.shape[1])), images, vocabulary=common_nouns())
        words = self.vocabulary or common_nouns()
        with opened_cache(self._cache) as cache:
            return namer_for(words, encoder=encoder, cache=cache, background=images, entries=fitted.entries)

    def save(self, path: str | Path) -> int:
        """Write the memory file, or put this in place of what it holds; returns its version.

        Raises
        ------
        MemoryFileError
            If it cannot be written, or is no memory.
        """
        from inkling.memory.store import write_memory

        self.memory_version = write_memory(path, to_memory(self.fitted, command=current_command()))
        return self.memory_version

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        encoder: str | Path | Encoder | None = None,
        vocabulary: Vocabulary | None = None,
        device: str = "auto",
        cache: bool | str | Path = True,
    ) -> Self:
        """Open a memory file.

        Parameters
        ----------
        path
            The memory.
        encoder
            Where its encoder is now, if it moved; None looks where it was.
        vocabulary
            Names that unknown images may get; None: common nouns.

        Raises
        ------
        MemoryFileError
            If the file is missing, damaged, foreign or of a newer release.
        EncoderMismatchError
            If the encoder is not the one that the memory was made with.
        """
        from inkling.memory.store import read_memory

        stored = read_memory(path)
        identity = stored.content.encoder
        fitted = from_memory(stored.content)
        loaded = cls(
            identity.source if encoder is None else encoder,
            head=fitted.head,
            seed=fitted.seed,
            vocabulary=vocabulary,
            device=device,
            precision=identity.precision,
            cache=cache,
        )
        loaded.fitted, loaded.memory_version = fitted, stored.version
        if encoder is not None:
            check_encoder(identity, loaded.encoder.identity)
        return loaded

    def _likely_names(self, embeddings: FloatArray, *, count: int) -> list[tuple[str, ...]]:
        if self._namer is None:
            self._namer = self.namer()
        return self._namer.of_each(embeddings, count=count)

    def _negatives(self, entries: Sequence[ClassEntry]) -> Negatives | None:
        if self.vocabulary is None:
            return None
        with opened_cache(self._cache) as cache:
            return negatives_for(self.vocabulary, entries, encoder=self.encoder, cache=cache)

    def _require_no_vocabulary(self) -> None:
        if self.vocabulary is not None:
            raise InputError(
                "Only an encoder puts the names of a vocabulary into words, and there are only vectors.",
                remedy="Name the encoder that made the vectors, or leave the vocabulary out.",
            )

    def _put_into_words(self, names: Iterable[str]) -> tuple[ClassEntry, ...]:
        with opened_cache(self._cache) as cache:
            return put_into_words(names, self.prompts, encoder=self.encoder, cache=cache, templates=self.templates)
