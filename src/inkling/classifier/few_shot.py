"""The object that users hold: an encoder, labelled samples, and a calibrated head."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from inkling.classifier.class_texts import embedded_entries, given_entries
from inkling.classifier.detection import with_detector
from inkling.classifier.estimator import Estimator
from inkling.classifier.fitted import (
    FittedClassifier,
    fit_classifier,
    labelled_rows,
    naming_skipped,
    require_classes,
    require_readable,
)
from inkling.classifier.inputs import vectors_among, warn_of_skipped
from inkling.classifier.one_pass_fitter import FitsInOnePass
from inkling.classifier.options import check_options, check_texts
from inkling.classifier.parents import Parents, read_parents
from inkling.classifier.persistence import load_classifier
from inkling.classifier.saving import Saved
from inkling.classifier.set_predictor import SetPredictor
from inkling.classifier.tuning import Tuning
from inkling.classifier.unlabelled import Unlabelled, unlabelled_records, unlabelled_vectors
from inkling.classifier.vocabularies import negatives_for, require_no_vocabulary, require_texts
from inkling.discovery.naming import Namer
from inkling.discovery.vocabulary import Vocabulary
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, given_samples, precomputed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.cards import DEFAULT_FOR_PHOTOGRAPHS
from inkling.encoders.cut import check_dimensions, cut
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_encoder, load_same_encoder
from inkling.errors import InputError
from inkling.images.handed_over import read_images
from inkling.labels import require_class_name
from inkling.prompts import ClassPrompts
from inkling.types import ClassEntry, EncoderIdentity, FloatArray
from inkling.unknown import Negatives


class FewShotClassifier(Estimator, Saved, SetPredictor, FitsInOnePass):
    """Learn visual classes from a handful of images each.

    As scikit-learn has them: `get_params`, `clone`, `GridSearchCV` and `Pipeline` work, on paths, pictures and vectors.

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
        Names of things in general. Images are compared with those of no known class, to detect unknown images, which
        get the likeliest name. None: they get common nouns, and no image is compared with names.
    parents
        Groups of the classes that `predict_hierarchy` may answer with, as it takes them.
    device, precision, dimensions
        Where and how exactly the encoder computes, and how much of its embedding is kept; see `inkling.load_encoder`.
    cache
        Where embeddings are kept: True for the user's cache, a folder, or False for nowhere.

    Examples
    --------
    >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat([2, 5, 10, 11], 5)
    >>> FewShotClassifier(head="prototype").fit(X, y).predict(X[:1])
    array([2])
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
        parents: Parents | None = None,
        device: str = "auto",
        precision: str = "auto",
        dimensions: int | None = None,
        cache: bool | str | Path = True,
    ) -> None:
        check_options(encoder, head=head, seed=seed, views=views, false_alarms=false_alarms, device=device, cache=cache)
        check_dimensions(dimensions)
        check_texts(templates, prompts, vocabulary)
        self.head, self.seed, self.views = head, seed, views
        self.templates, self.prompts = templates, tuple(prompts)
        self.false_alarms, self.vocabulary, self.parents, self.memory_version = false_alarms, vocabulary, parents, None
        self._encoder, self._device, self._precision = encoder, device, precision
        self._dimensions, self._cache = dimensions, cache
        self._made_with: EncoderIdentity | None = None
        self._fitted: FittedClassifier | None = None
        self._namer: Namer | None = None

    def __repr__(self) -> str:
        if (fitted := self._fitted) is None:
            name = self._encoder if isinstance(self._encoder, str | Path) else self._encoder.identity.name
            return f"FewShotClassifier(encoder={str(name)!r}, head={self.head!r}, not fitted)"
        return f"FewShotClassifier(encoder={fitted.samples.identity.name!r}, head={self.head!r}, {fitted.summary})"

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, its weights not loaded before they are needed.

        Raises
        ------
        EncoderError
            If it cannot be opened.
        """
        if not isinstance(self._encoder, str | Path):
            return cut(self._encoder, self._dimensions)
        if self._made_with is not None:
            return load_same_encoder(self._made_with, self._encoder, device=self._device)
        return load_encoder(self._encoder, device=self._device, precision=self._precision, dimensions=self._dimensions)

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
        self._fitted, self._namer, self.memory_version = fitted, None, None

    def fit(
        self,
        images: Any,
        labels: Any = None,
        *,
        groups: Any = None,
        unlabelled: Any = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from labelled images, or from vectors.

        Parameters
        ----------
        images
            A folder of class folders, or any source that `inkling.images.sources.find_images` reads; a sequence of
            paths, bytes of image files, PIL images, arrays or tensors; a data frame with columns ``path`` and
            ``label``; or vectors (n, d), as for `fit_embeddings`.
        labels
            Label of each image: text, whole numbers or truth values; None where the source tells.
        groups
            Which source each image is of, such as a video, None for its own; None: a column ``group``, else found.
        unlabelled
            More images (vectors, if `images` are), of these classes or not; they count where they are shown to help.
        progress
            Called with the progress of embedding.

        Raises
        ------
        InputError
            If there are no labels, or fewer than two classes.

        Examples
        --------
        >>> FewShotClassifier("sketch").fit("photos/train")
        FewShotClassifier(encoder='sketch', head='auto', 3 classes from 24 images)
        """
        if (vectors := vectors_among(images)) is not None:
            if unlabelled is None:
                return self.fit_embeddings(vectors, labels, groups=groups)
            require_no_vocabulary(self.vocabulary)
            samples = given_samples(vectors, labels, logit_scale=100.0, groups=groups)
            entries = given_entries(set(filter(None, samples.labels)), (), None)
            return self.learn(samples, entries, unlabelled=unlabelled_vectors(unlabelled, samples.identity))
        given = read_images(images, labels, groups=groups, split="train")
        records = given.records
        rows, without = labelled_rows([one.path for one in records], [one.label for one in records])
        labelled = [records[row] for row in rows]
        names = {str(record.label) for record in labelled}
        require_classes({*names, *(entry.name for entry in self.prompts)})
        entries = self._encode_class_texts(names)
        with opened_cache(self._cache) as cache:
            samples = embed_samples(labelled, self.encoder, cache=cache, views=self.views, progress=progress)
        samples = replace(samples.also_skipped(without), label_kind=given.label_kind)
        with naming_skipped(samples.skipped):
            more = self._embedded(unlabelled, progress)
            return self.learn(samples, entries, negatives=self._negatives(entries), unlabelled=more)

    def fit_embeddings(
        self,
        X: Any,
        y: Any,
        *,
        text_vectors: FloatArray | None = None,
        class_names: Sequence[Any] | None = None,
        logit_scale: float = 100.0,
        groups: Any = None,
        views: int | None = None,
    ) -> Self:
        """Learn from vectors of your own, without an encoder.

        Parameters
        ----------
        X
            Embeddings (n, d).
        y
            Label of each, (n,).
        text_vectors
            Text vectors (n_classes, d), zeros or NaN where a class has none; None to use images alone.
        class_names
            Labels of the rows of `text_vectors`; None: the labels in y, sorted: numbers by value, text as text.
        logit_scale
            Factor on cosines to texts.
        groups
            Which source each row is of, such as a video or a day, (n,): they are held out together. None: found.
        views
            How many views of its image each row is the mean of, 1 for single views. None: unknown, promises are wider.

        Examples
        --------
        >>> X, y = np.eye(4).repeat(5, axis=0), np.repeat(["ant", "bee", "cat", "dog"], 5)
        >>> FewShotClassifier(head="prototype").fit_embeddings(X, y).classes_.tolist()
        ['ant', 'bee', 'cat', 'dog']
        """
        require_no_vocabulary(self.vocabulary)
        samples = given_samples(X, y, logit_scale=logit_scale, groups=groups, views=views)
        names = samples.label_kind.sorted({label for label in samples.labels if label is not None})
        of_texts = names if class_names is None else [require_class_name(name) for name in class_names]
        return self.learn(samples, given_entries(names, of_texts, text_vectors))

    def fit_precomputed(
        self, vectors: Precomputed, *, in_words: bool = False, unlabelled: Precomputed | None = None
    ) -> Self:
        """Learn from a file of vectors.

        Parameters
        ----------
        vectors
            As `inkling.embeddings.precomputed.read_precomputed` reads them.
        in_words
            Have the encoder encode the class texts; it must be the one that made the vectors. Otherwise the text
            vectors count that the file brings.
        unlabelled
            Vectors of images without labels, as for `fit`.

        Examples
        --------
        >>> from inkling.embeddings.precomputed import read_precomputed
        >>> np.savez("vectors.npz", x=np.eye(4).repeat(5, axis=0), labels=np.repeat(["ant", "bee", "cat", "dog"], 5))
        >>> FewShotClassifier(head="prototype").fit_precomputed(read_precomputed("vectors.npz")).classes_.tolist()
        ['ant', 'bee', 'cat', 'dog']
        """
        samples = precomputed_samples(vectors)
        names = {label for label in samples.labels if label is not None}
        more = None if unlabelled is None else precomputed_samples(unlabelled)
        if not in_words:
            require_no_vocabulary(self.vocabulary)
            given = given_entries(names, vectors.class_names, vectors.text_vectors)
            return self.learn(samples, given, unlabelled=more)
        check_encoder(vectors.identity, self.encoder.identity, made="The vectors were made")
        entries = self._encode_class_texts(names)
        return self.learn(samples, entries, negatives=self._negatives(entries), unlabelled=more)

    def learn(
        self,
        samples: Samples,
        entries: Sequence[ClassEntry],
        *,
        negatives: Negatives | None = None,
        tuning: Tuning | None = None,
        unlabelled: Samples | None = None,
    ) -> Self:
        """Learn from samples and class entries, which the other ways to fit make of what they are given.

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
        unlabelled
            Vectors that count where they are shown to help, whatever their labels; not with `tuning`.

        Examples
        --------
        >>> from inkling.types import ClassEntry
        >>> samples = FewShotClassifier.load("vehicles.ink").fitted.samples
        >>> FewShotClassifier().learn(samples, [ClassEntry(name) for name in ("castle", "cat", "tree")])
        FewShotClassifier(encoder='sketch', head='auto', 3 classes from 24 images)
        """
        require_readable(samples)
        rows, without = labelled_rows(samples.paths, samples.labels)
        samples = samples.keep(rows).also_skipped(without)
        more = None if unlabelled is None else Unlabelled.beside(samples, unlabelled)
        samples = samples.also_skipped(() if more is None else more.skipped)
        known = [entry for entry in entries if entry.text_vector is not None or entry.name in samples.labels]
        spaces = None if tuning is None else tuning.fold_spaces
        X, report = (None, None) if more is None else (more.X, more.report)
        fitted = fit_classifier(samples, known, head=self.head, seed=self.seed, fold_spaces=spaces, unlabelled=X)
        fitted = replace(fitted, hierarchy=read_parents(self.parents, fitted.classes), unlabelled=report)
        self.fitted = with_detector(fitted, false_alarms=self.false_alarms, negatives=negatives, tuning=tuning)
        warn_of_skipped(samples.skipped, stacklevel=4)
        return self

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
        """Open a memory file. What predicting needs is read now, its training images when they are asked for.

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

        Examples
        --------
        >>> FewShotClassifier.load("vehicles.ink").classes_.tolist()
        ['castle', 'cat', 'tree']
        """
        fitted, version = load_classifier(path)
        identity = fitted.samples.identity
        loaded = cls(
            identity.source if encoder is None else encoder,
            head=fitted.head,
            seed=fitted.seed,
            vocabulary=vocabulary,
            parents=fitted.hierarchy,
            device=device,
            precision=identity.precision,
            cache=cache,
        )
        loaded._made_with, loaded.fitted, loaded.memory_version = identity, fitted, version
        if encoder is not None:
            check_encoder(identity, loaded.encoder.identity)
        return loaded

    def _embedded(self, unlabelled: Any, progress: Progress | None) -> Samples | None:
        if unlabelled is None or isinstance(unlabelled, Precomputed):
            return None if unlabelled is None else precomputed_samples(unlabelled)
        with opened_cache(self._cache) as cache:
            return embed_samples(unlabelled_records(unlabelled), self.encoder, cache=cache, progress=progress)

    def _negatives(self, entries: Sequence[ClassEntry]) -> Negatives | None:
        require_texts(self.encoder, self.vocabulary)
        with opened_cache(self._cache) as cache:
            return negatives_for(self.vocabulary, entries, encoder=self.encoder, cache=cache, progress=self.naming)

    def _encode_class_texts(self, names: Collection[str]) -> tuple[ClassEntry, ...]:
        with opened_cache(self._cache) as cache:
            return embedded_entries(names, self.prompts, encoder=self.encoder, cache=cache, templates=self.templates)
