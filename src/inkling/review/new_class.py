"""What is to be added: class texts and images, embedded with the memory's encoder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from inkling.classifier.class_texts import embedded_entries, given_entries
from inkling.classifier.fitted import labelled_rows, reopen_encoder, require_readable
from inkling.classifier.indistinct import unlike_known
from inkling.classifier.inputs import warn_of_skipped
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, precomputed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.devices import check_device
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_same_encoder
from inkling.errors import EncoderError, InputError
from inkling.images.handed_over import records_of
from inkling.labels import check_names
from inkling.memory.amend import Amendment
from inkling.memory.content import PARENTS, MemoryContent
from inkling.memory.store import read_memory
from inkling.prompts import ClassPrompts
from inkling.review.lookup import check_no_group
from inkling.review.one_class import rows_of_class
from inkling.types import ClassEntry, EncoderIdentity, ImageRecord


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is to be added, and the encoder whose space it is in.

    Attributes
    ----------
    identity
        Encoder of all vectors, those of texts too; None where there is no vector.
    entries
        The classes.
    samples
        Images, labelled with the names of classes; None without any.
    """

    identity: EncoderIdentity | None
    entries: tuple[ClassEntry, ...]
    samples: Samples | None = None

    @classmethod
    def of_name(cls, name: str) -> Self:
        """A class of which nothing but the name was prepared."""
        return cls(None, (ClassEntry(name),))

    def require_space_of(self, memory: Amendment) -> None:
        """Make sure, within the transaction, that all vectors are of the memory's encoder.

        Raises
        ------
        EncoderMismatchError
            If the memory has another encoder than the one that they were prepared with.
        """
        for made_by in (self.identity, None if self.samples is None else self.samples.identity):
            if made_by is not None:
                check_encoder(memory.encoder, made_by)

    @property
    def n_images(self) -> int:
        """Different images."""
        return 0 if self.samples is None else self.samples.n_images


@dataclass(frozen=True)
class ClassEmbedder:
    """Embeds what is to be added to a memory.

    Parameters
    ----------
    encoder
        Where the memory's encoder is now, or the encoder itself; None looks where it was.
    device
        Where it computes.
    cache
        Where embeddings are kept: True for the user's cache, a folder, or False for nowhere.

    Examples
    --------
    >>> ClassEmbedder("models/clip", cache=False).encoder
    'models/clip'
    """

    encoder: str | Path | Encoder | None = None
    device: str = "auto"
    cache: bool | str | Path = True

    def __post_init__(self) -> None:
        check_device(self.device)

    def new_class(
        self, path: str | Path, name: str, *, images: Any, prompts: Sequence[str], progress: Progress | None
    ) -> Prepared:
        """One new class: its text, and its images if it has any.

        Raises
        ------
        InputError
            If there is neither image nor text to know it by, such a class already, or images have other labels.
        EncoderError, EncoderMismatchError
            If the memory's encoder cannot be opened, or is another one now.
        """
        content = read_memory(path, exemplars=False).content
        check_names([name], [entry.name for entry in content.classes])
        check_no_group([name], content.training.get(PARENTS, {}))
        if images is None and not prompts:
            raise InputError(
                f"Nothing tells what a '{name}' looks like.", remedy="Give images of it with --images, or a --prompt."
            )
        if isinstance(images, Precomputed):
            check_encoder(content.encoder, images.identity)
            vectors = precomputed_samples(images)
            rows, unlabelled = rows_of_class(name, vectors.paths, vectors.labels)
            warn_of_skipped(unlabelled, stacklevel=4)
            entries = self._words(content, name, prompts, with_images=True) if prompts else (ClassEntry(name),)
            return Prepared(content.encoder, entries, vectors.keep(rows).also_skipped(unlabelled))
        samples = None if images is None else self._of_class(content.encoder, name, images, progress)
        warn_of_skipped(samples.skipped if samples else (), stacklevel=4)
        return Prepared(content.encoder, self._words(content, name, prompts, with_images=images is not None), samples)

    def labelled(
        self,
        path: str | Path,
        images: Any,
        labels: Sequence[Any] | None = None,
        *,
        prompts: Sequence[ClassPrompts] = (),
        views: int = 1,
        progress: Progress | None = None,
    ) -> Prepared:
        """Labelled images of known and new classes, and the texts of the new ones.

        Parameters
        ----------
        path
            The memory.
        images, labels
            As for `FewShotClassifier.fit`, or a file of vectors.
        prompts
            Own prompts of new classes. One that has no image is known by its text alone.
        views
            Views of each image: 1 is the image itself, more add augmented ones.

        Raises
        ------
        InputError
            If no image has a label or can be read, or a new class has the name of another but for case or spaces.
        EncoderError, EncoderMismatchError
            If the memory's encoder cannot be opened, or is another one now.
        """
        content = read_memory(path, exemplars=False).content
        if isinstance(images, Precomputed):
            check_encoder(content.encoder, images.identity)
            samples = precomputed_samples(images)
            rows, unlabelled = labelled_rows(samples.paths, samples.labels)
            samples = samples.keep(rows).also_skipped(unlabelled)
            warn_of_skipped(samples.skipped, stacklevel=4)
            new = _new_names(content, samples.labels)
            entries = given_entries(new, images.class_names, images.text_vectors)
            added = [one for one in entries if one.name in new]
            return Prepared(content.encoder, unlike_known(added, content.classes, with_images=new), samples)
        records = records_of(images, labels, split="train")
        rows, unlabelled = labelled_rows([one.path for one in records], [one.label for one in records])
        new = _new_names(content, [records[row].label for row in rows], prompts)
        samples = self._embedded(content.encoder, [records[row] for row in rows], views=views, progress=progress)
        samples = samples.also_skipped(unlabelled)
        warn_of_skipped(samples.skipped, stacklevel=4)
        with_images = {str(records[row].label) for row in rows}
        return Prepared(content.encoder, self._encoded(content, new, prompts, with_images=with_images), samples)

    def in_words(self, path: str | Path, name: str) -> Prepared:
        """A class whose images are in the memory, with its text; nothing but its name if the encoder cannot tell.

        It cannot where it is not at hand, or knows no such text, or where no class of the memory has one.
        """
        content = read_memory(path, exemplars=False).content
        return Prepared(content.encoder, self._encoded(content, [name], (), with_images=[name]))

    def _encoded(
        self,
        content: MemoryContent,
        names: Sequence[str],
        prompts: Sequence[ClassPrompts],
        *,
        with_images: Collection[str],
    ) -> tuple[ClassEntry, ...]:
        """New classes with their texts, as far as the memory uses texts."""
        without = tuple(ClassEntry(name) for name in names)
        own = [one for one in prompts if one.name in names]
        if not names or (not own and all(entry.text_vector is None for entry in content.classes)):
            return without
        try:
            with opened_cache(self.cache) as cache:
                told = embedded_entries(names, own, encoder=self._open(content.encoder), cache=cache, templates=None)
        except EncoderError:
            if own:
                raise
            return without
        return unlike_known(told, content.classes, with_images=with_images)

    def _of_class(self, identity: EncoderIdentity, name: str, images: Any, progress: Progress | None) -> Samples:
        """Images of one class."""
        records = records_of(images)
        rows, unlabelled = rows_of_class(name, [one.path for one in records], [one.label for one in records])
        samples = self._embedded(identity, [records[row] for row in rows], progress=progress)
        return samples.also_skipped(unlabelled)

    def _embedded(
        self, identity: EncoderIdentity, records: Sequence[ImageRecord], *, progress: Progress | None, views: int = 1
    ) -> Samples:
        encoder = self._open(identity)
        with opened_cache(self.cache) as cache:
            samples = embed_samples(records, encoder, cache=cache, views=views, progress=progress)
        require_readable(samples)
        return samples

    def _words(
        self, content: MemoryContent, name: str, prompts: Sequence[str], *, with_images: bool
    ) -> tuple[ClassEntry, ...]:
        """One new class with its text; without, where its text would tell nothing."""
        described = [ClassPrompts(name, tuple(prompts))] if prompts else []
        encoder = self._open(content.encoder)
        with opened_cache(self.cache) as cache:
            told = embedded_entries([name], described, encoder=encoder, cache=cache, templates=None)
        if prompts and told[0].text_vector is None:
            raise InputError(
                f"The encoder '{content.encoder.name}' has no vector for any of these prompts.",
                remedy="Leave --prompt out and give images.",
            )
        return unlike_known(told, content.classes, with_images=[name] if with_images else [])

    def _open(self, identity: EncoderIdentity) -> Encoder:
        def find() -> Encoder:
            where = identity.source if self.encoder is None else self.encoder
            if not isinstance(where, str | Path):
                return where
            return load_same_encoder(identity, where, device=self.device)

        return reopen_encoder(identity, find)


def _new_names(content: MemoryContent, labels: Iterable[str | None], prompts: Sequence[ClassPrompts] = ()) -> list[str]:
    """Names that no known class has.

    Raises
    ------
    InputError
        If one differs from another name by case, spaces or Unicode form alone, or is that of a group of classes.
    """
    known = [entry.name for entry in content.classes]
    named = {str(label) for label in labels if label is not None} | {one.name for one in prompts}
    new = sorted(named - set(known))
    check_names(new, known)
    check_no_group(new, content.training.get(PARENTS, {}))
    return new
