"""What a class to be added brings: its text and its images, embedded with the memory's encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkling.classifier.class_texts import put_into_words
from inkling.classifier.fitted import reopen_encoder, require_readable
from inkling.embeddings.cache import opened_cache
from inkling.embeddings.embed import Progress
from inkling.embeddings.precomputed import Precomputed
from inkling.embeddings.samples import Samples, embed_samples, precomputed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.identity import check_encoder
from inkling.encoders.registry import load_same_encoder
from inkling.errors import EncoderError, InputError
from inkling.images.handed_over import records_of
from inkling.memory.store import read_memory
from inkling.prompts import ClassPrompts
from inkling.types import ClassEntry, EncoderIdentity


@dataclass(frozen=True)
class Newcomer:
    """Embeds a class to be added.

    Parameters
    ----------
    encoder
        Where the memory's encoder is now, or the encoder itself; None looks where it was.
    device
        Where it computes.
    cache
        Where embeddings are kept: True for the user's cache, a folder, or False for nowhere.
    """

    encoder: str | Path | Encoder | None = None
    device: str = "auto"
    cache: bool | str | Path = True

    def __call__(
        self, path: str | Path, name: str, *, images: Any, prompts: Sequence[str], progress: Progress | None
    ) -> tuple[ClassEntry, Samples | None]:
        """The class in words, and its images if it has any.

        Raises
        ------
        InputError
            If there is neither image nor text to know it by, or such a class already.
        EncoderError, EncoderMismatchError
            If the memory's encoder cannot be opened, or is another one now.
        """
        content = read_memory(path, exemplars=False).content
        if any(entry.name == name for entry in content.classes):
            raise InputError(f"There is a class '{name}' already.", remedy="Choose another name.")
        if images is None and not prompts:
            raise InputError(
                f"Nothing tells what a '{name}' looks like.", remedy="Give images of it with --images, or a --prompt."
            )
        if isinstance(images, Precomputed):
            check_encoder(content.encoder, images.identity)
            entry = self._words(content.encoder, name, prompts) if prompts else ClassEntry(name)
            return entry, precomputed_samples(images)
        samples = None if images is None else self._embedded(content.encoder, images, progress)
        return self._words(content.encoder, name, prompts), samples

    def in_words(self, path: str | Path, name: str) -> ClassEntry:
        """A class whose images are in the memory, in words; nothing but its name if the encoder cannot tell.

        It cannot where it is not at hand, or knows no such text, or where no class of the memory has one.
        """
        content = read_memory(path, exemplars=False).content
        if all(entry.text_vector is None for entry in content.classes):
            return ClassEntry(name)
        try:
            return self._words(content.encoder, name, ())
        except EncoderError:
            return ClassEntry(name)

    def _embedded(self, identity: EncoderIdentity, images: Any, progress: Progress | None) -> Samples:
        encoder = self._open(identity)
        with opened_cache(self.cache) as cache:
            samples = embed_samples(records_of(images), encoder, cache=cache, progress=progress)
        require_readable(samples)
        return samples

    def _words(self, identity: EncoderIdentity, name: str, prompts: Sequence[str]) -> ClassEntry:
        described = [ClassPrompts(name, tuple(prompts))]
        with opened_cache(self.cache) as cache:
            (entry,) = put_into_words([name], described, encoder=self._open(identity), cache=cache, templates=None)
        if prompts and entry.text_vector is None:
            raise InputError(
                f"The encoder '{identity.name}' has no vector for any of these prompts.",
                remedy="Leave --prompt out and give images.",
            )
        return entry

    def _open(self, identity: EncoderIdentity) -> Encoder:
        def find() -> Encoder:
            where = identity.source if self.encoder is None else self.encoder
            if not isinstance(where, str | Path):
                return where
            return load_same_encoder(identity, where, device=self.device)

        return reopen_encoder(identity, find)
