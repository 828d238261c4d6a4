"""The object that users hold: an encoder, what it was taught, and a calibrated head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.special import softmax

from inkling.embeddings.cache import EmbeddingCache
from inkling.embeddings.embed import Progress, iter_embedded
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, precomputed_samples, samples_of
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.registry import load_encoder
from inkling.errors import InputError
from inkling.heads import head_class
from inkling.heads.support import unit_rows
from inkling.images.handed_over import records_of
from inkling.memory.content import ClassEntry, check_encoder
from inkling.prompts import ClassPrompts
from inkling.teaching import (
    Taught,
    current_command,
    from_memory,
    given_entries,
    labelled_only,
    put_into_words,
    teach,
    to_memory,
)
from inkling.types import EncoderIdentity, FloatArray, ImageRecord, SkippedImage, Verdict

BATCH_SIZE = 32


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
        device: str = "auto",
        precision: str = "float32",
        cache: bool | str | Path = True,
    ) -> None:
        head_class(head)
        if views < 1:
            raise InputError(f"views must be 1 or more, got {views}.", remedy="1 is the image itself.")
        self.head = head
        self.seed = seed
        self.views = views
        self.templates = templates
        self.prompts = tuple(prompts)
        self.memory_version: int | None = None
        self._encoder, self._device, self._precision = encoder, device, precision
        self._cache = cache
        self._taught: Taught | None = None

    def __repr__(self) -> str:
        if self._taught is None:
            return f"FewShotClassifier(encoder={str(self._encoder)!r}, head={self.head!r}, not fitted)"
        n_images = len(set(self._taught.samples.content_hashes))
        return (
            f"FewShotClassifier(encoder={self.taught.samples.identity.name!r}, head={self.head!r}, "
            f"{len(self.classes_)} classes from {n_images} images)"
        )

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, its weights not loaded before they are needed.

        Raises
        ------
        EncoderError, EncoderMismatchError
            If it cannot be opened, or is not the one that the memory was made with.
        """
        chosen = self._encoder
        if isinstance(chosen, str | Path):
            chosen = load_encoder(chosen, device=self._device, precision=self._precision)
        if self._taught is not None:
            check_encoder(self._taught.samples.identity, chosen.identity)
        return chosen

    @property
    def taught(self) -> Taught:
        """What the classifier was taught.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if self._taught is None:
            raise InputError("The classifier is not fitted.", remedy="Call fit, or load a memory.")
        return self._taught

    @property
    def classes_(self) -> tuple[str, ...]:
        """Names of the known classes, sorted."""
        return self.taught.classes

    @property
    def finding_(self) -> str:
        """What fitting found out, in one sentence."""
        return self.taught.fitted.finding

    @property
    def skipped_(self) -> tuple[SkippedImage, ...]:
        """Training images that were not used, and why."""
        return self.taught.samples.skipped

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
        with self._open_cache() as cache:
            samples = embed_samples(records, self.encoder, cache=cache, views=self.views, progress=progress)
        return self.fit_samples(samples)

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
        samples = _own_samples(X, [str(label) for label in y], logit_scale)
        names = {label for label in samples.labels if label is not None}
        entries = given_entries(names, sorted(names) if class_names is None else class_names, text_vectors)
        return self.fit_samples(samples, entries)

    def fit_precomputed(self, vectors: Precomputed) -> Self:
        """Learn from a file of vectors, with the text vectors that it brings."""
        names = {label for label in vectors.labels or () if label is not None}
        return self.fit_samples(
            precomputed_samples(vectors), given_entries(names, vectors.class_names, vectors.text_vectors)
        )

    def fit_samples(self, samples: Samples, entries: Sequence[ClassEntry] | None = None) -> Self:
        """Learn from labelled samples; without entries the encoder puts the classes into words."""
        samples = labelled_only(samples)
        if entries is None:
            names = {str(label) for label in samples.labels}
            with self._open_cache() as cache:
                entries = put_into_words(
                    names, self.prompts, encoder=self.encoder, cache=cache, templates=self.templates
                )
        self._taught = teach(samples, entries, head=self.head, seed=self.seed)
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
        p[read] = self.probabilities(samples.X)
        return p

    def score(self, images: Any, labels: Sequence[Any] | None = None) -> float:
        """Top-1 accuracy on labelled images that can be read."""
        samples = labelled_only(self.embed(records_of(images, labels, split="test")))
        return float(np.mean(self.predict_embeddings(samples.X) == np.array(samples.labels, dtype=object)))

    def predict_embeddings(self, X: FloatArray) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Label of each vector, (n,)."""
        names = np.array(self.classes_, dtype=object)
        return np.asarray(names[self.probabilities(X).argmax(axis=1)], dtype=object)

    def probabilities(self, X: FloatArray) -> FloatArray:
        """Calibrated probabilities (n, n_classes) of vectors (n, d + f)."""
        return self.taught.fitted.probabilities(np.asarray(X))

    def zero_shot_probabilities(self, X: FloatArray) -> FloatArray | None:
        """What the text vectors alone say, (n, n_classes); None unless every class has one."""
        text, identity = self.taught.text_vectors, self.taught.samples.identity
        if text is None or np.isnan(text).any():
            return None
        cosines = unit_rows(np.asarray(X)[:, : identity.dimension]) @ text.T
        return np.asarray(softmax(identity.logit_scale * cosines, axis=1))

    def embed(self, records: Sequence[ImageRecord], *, progress: Progress | None = None) -> Samples:
        """Vectors of images by the classifier's encoder."""
        with self._open_cache() as cache:
            return embed_samples(records, self.encoder, cache=cache, progress=progress)

    def verdicts(
        self, images: Any, *, top: int = 5, progress: Progress | None = None
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
        """
        records = records_of(images)
        with self._open_cache() as cache:
            for part in iter_embedded(records, self.encoder, cache=cache, batch_size=BATCH_SIZE, progress=progress):
                samples = samples_of(part, self.encoder.identity)
                yield from self.judge(samples, top=top)
                yield from samples.skipped

    def judge(self, samples: Samples, *, top: int = 5) -> list[Verdict]:
        """Verdict on each sample."""
        check_encoder(self.taught.samples.identity, samples.identity)
        if not len(samples):
            return []
        p = self.probabilities(samples.X)
        order = np.argsort(-p, axis=1, kind="stable")[:, : max(top, 1)]
        return [
            Verdict(
                path=path,
                label=self.classes_[best[0]],
                probability=float(row[best[0]]),
                top_labels=tuple(self.classes_[k] for k in best),
                top_probabilities=tuple(float(row[k]) for k in best),
                memory_version=self.memory_version,
            )
            for path, row, best in zip(samples.paths, p, order, strict=True)
        ]

    def save(self, path: str | Path) -> int:
        """Write the memory file, or put this in place of what it holds; returns its version.

        Raises
        ------
        MemoryFileError
            If it cannot be written, or is no memory.
        """
        from inkling.memory.store import write_memory

        self.memory_version = write_memory(path, to_memory(self.taught, current_command()))
        return self.memory_version

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        encoder: str | Path | Encoder | None = None,
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
        loaded = cls(identity.source if encoder is None else encoder, device=device, cache=cache)
        loaded._precision = identity.precision
        loaded._taught = from_memory(stored.content)
        loaded.head, loaded.seed = loaded._taught.head, loaded._taught.seed
        loaded.memory_version = stored.version
        if encoder is not None:
            check_encoder(identity, loaded.encoder.identity)
        return loaded

    @contextmanager
    def _open_cache(self) -> Iterator[EmbeddingCache | None]:
        if self._cache is False:
            yield None
            return
        with EmbeddingCache(None if self._cache is True else Path(self._cache)) as cache:
            yield cache


def _own_samples(X: FloatArray, labels: Sequence[str], logit_scale: float) -> Samples:
    X = np.asarray(X, dtype=np.float32)
    if X.ndim != 2 or len(X) != len(labels) or not np.isfinite(X).all():
        raise InputError(
            f"Embeddings must be finite and of shape (n, d), with n labels; got {X.shape} and {len(labels)} labels."
        )
    n, d = X.shape
    names = tuple(f"row {row}" for row in range(n))
    identity = EncoderIdentity("precomputed", "precomputed", f"precomputed:{d}+0", d, 0, logit_scale, "float32")
    return Samples(identity, names, tuple(labels), names, (None,) * n, (0,) * n, unit_rows(X).astype(np.float32))
