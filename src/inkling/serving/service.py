"""What is served: a memory that is followed, its classifier, and the encoder, in threads or processes of its own.

No HTTP here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import PurePath

import numpy as np
from PIL import Image

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery.vocabulary import Vocabulary
from inkling.embeddings.at_once import ReadyPicture, encode_ready, ready_picture
from inkling.embeddings.samples import Samples, embed_samples
from inkling.encoders.base import Encoder
from inkling.encoders.registry import load_encoder, load_same_encoder
from inkling.errors import ConflictError, InputError, MemoryChangedError, UnreadableImageError
from inkling.images.formats import pixel_size
from inkling.memory.following import Followed
from inkling.memory.nearest import NearestExemplars
from inkling.memory.place import place_of
from inkling.memory.store import encoder_of
from inkling.payloads import Payload
from inkling.redaction import redacted
from inkling.review.new_class import ClassEmbedder
from inkling.review.signed import SignedDecisions
from inkling.serving.answered import Answer, Known, Wanted
from inkling.serving.batching import Asked, EncoderThreads
from inkling.serving.beginning import Beginning
from inkling.serving.begun import BegunFile
from inkling.serving.keeper import Keeper
from inkling.serving.limits import Limits
from inkling.serving.queued_encoder import queued
from inkling.serving.studied import learned_state, next_to_label
from inkling.serving.workers import Workers, pooled
from inkling.types import ImageRecord, SkippedImage, Vectors
from inkling.wording import quoted


class Service:
    """A memory that answers, and learns.

    Parameters
    ----------
    memory
        The file, or the URL of a PostgreSQL database.
    encoder
        Where its encoder is now, if it moved.
    device
        Where it computes.
    vocabulary
        Names that unknown images may get; None: common nouns.
    limits
        What is taken at once.
    begin_with
        Name or folder of the encoder of a new memory, which is begun where there is none; None refuses that.
    workers
        Processes that encode; with 1 this one does.

    Raises
    ------
    MemoryFileError, EncoderError
        If the memory cannot be read, or its encoder cannot be opened.
    """

    def __init__(
        self,
        memory: str,
        *,
        encoder: str | None = None,
        device: str = "auto",
        vocabulary: Vocabulary | None = None,
        limits: Limits | None = None,
        begin_with: str | None = None,
        workers: int = 1,
    ) -> None:
        self.memory = memory
        self.limits = limits or Limits()
        self._device, self._vocabulary, self._n_workers = device, vocabulary, workers
        self._moved: str | Encoder | None = encoder
        self.workers: Workers | None = None
        self._followed, self._following = Followed(memory), threading.RLock()
        self._nearest = NearestExemplars(memory)
        self._state: tuple[int, ...] = ()
        self.thread = EncoderThreads(self._judge, bound=self.limits.waiting, number=workers)
        self.beginning = None if begin_with is None or place_of(memory).exists() else Beginning(memory)
        self._known = None if self.beginning else self._load()
        self._encoder: Encoder = (
            self._elsewhere(load_encoder(begin_with, device=device), begin_with)
            if begin_with is not None and self._known is None
            else self._require_known().classifier.encoder
        )
        if self._known is not None and begin_with is not None:
            BegunFile(memory).remove_what_is_known(self._known.classifier.fitted.classes)
        self._keeper = Keeper(memory, self._keep_up)
        self._studied: tuple[int, Payload] | None = None
        self.ready = threading.Event()
        self.closing = threading.Event()

    def start(self) -> None:
        """Begin to answer, and warm up: when `ready` is set, the first answer is as quick as any."""
        if self.workers is not None:
            self.workers.start()
        self.thread.start()
        self.thread.call(self._warm_up)
        self.ready.set()
        self._keeper.start()

    def close(self) -> None:
        """Finish what is held, and end."""
        self.closing.set()
        self._keeper.close()
        self.thread.close(self._let_go)

    @property
    def version(self) -> int:
        """The version of the memory that the latest answer was made by; 0 before the first."""
        return 0 if self._known is None else self._known.version

    @property
    def told(self) -> str:
        """What is served, in a few words."""
        begun = () if self.beginning is None else self.beginning.classes
        with_what = f", begun with {quoted(begun[0].name)}" if begun else ""
        return f"a new memory{with_what}" if self._known is None else f"version {self.version}"

    @property
    def name(self) -> str:
        """Of the model: the name of the file without its ending, or that of the database."""
        return PurePath(redacted(self.memory)).stem or "inkling"

    @property
    def encoder(self) -> Encoder:
        """The encoder, for long work in other threads."""
        return queued(self._encoder, self.thread)

    @property
    def classifier(self) -> FewShotClassifier:
        """The classifier by now, for long work in other threads."""
        known = self.thread.call(self._current)
        return known.classifier

    @property
    def begins(self) -> bool:
        """Whether the memory has no version yet."""
        return self.beginning is not None and self._known is None and not place_of(self.memory).exists()

    def learned_state(self) -> Payload:
        """See `inkling.serving.studied.learned_state`; worked out once for each version."""
        classifier = self.classifier
        version = classifier.memory_version or 0
        if self._studied is None or self._studied[0] != version:
            self._studied = version, learned_state(classifier)
        return self._studied[1]

    def next_to_label(self, most: int) -> Payload:
        """See `inkling.serving.studied.next_to_label`."""
        return next_to_label(self.memory, self.classifier, most=most)

    def looked_at(self, record: ImageRecord) -> ReadyPicture | SkippedImage:
        """A picture ready for the encoder, or why it cannot be. Takes a core while it lasts."""
        try:
            self._require_size(record)
            return ready_picture(record, self._encoder)
        except UnreadableImageError as error:
            return SkippedImage(record.path, error.message)

    def ask(self, wanted: Sequence[Wanted]) -> list[Future[Answer | SkippedImage]]:
        """Answers, when they come.

        Raises
        ------
        BusyError
            If too much is waiting.
        """
        return self.thread.ask(wanted)

    def embedded(self, records: Sequence[ImageRecord]) -> Samples:
        """Samples of pictures, for long work in other threads; what cannot be read is skipped."""
        looked = [(record, self._refused(record)) for record in records]
        samples = embed_samples([record for record, reason in looked if reason is None], self.encoder, cache=None)
        return samples.also_skipped([SkippedImage(record.path, reason) for record, reason in looked if reason])

    def readable(self, records: Sequence[ImageRecord]) -> tuple[list[ImageRecord], list[SkippedImage]]:
        """Pictures that are to be learned from, by their headers, and those that cannot be.

        Raises
        ------
        InputError
            If there are any, and none is a picture within the limits.
        """
        looked = [(record, self._refused(record)) for record in records]
        found = [record for record, reason in looked if reason is None]
        skipped = [SkippedImage(record.path, reason) for record, reason in looked if reason is not None]
        if records and not found:
            error = InputError("None of the pictures can be read.", remedy="Nothing was changed.")
            error.skipped = skipped
            raise error
        return found, skipped

    def latest_version(self) -> int:
        """The version of the memory by now."""
        return self.thread.call(self._current).version

    def decisions(self, *, by: str, seen: Sequence[int] = ()) -> SignedDecisions:
        """Decisions about the memory by somebody; see `SignedDecisions`."""
        return SignedDecisions(
            self.memory, by=by, seen=seen, words=lambda name: self.embedder().in_words(self.memory, name)
        )

    def embedder(self) -> ClassEmbedder:
        """Embeds what is to be added to the memory."""
        return ClassEmbedder(self.encoder, cache=False)

    def _refused(self, record: ImageRecord) -> str | None:
        """Why a picture is not taken, by its header alone."""
        try:
            self._require_size(record)
        except UnreadableImageError as error:
            return error.message
        return None

    def _require_size(self, record: ImageRecord) -> None:
        if record.data is None:
            return
        width, height = pixel_size(record.data)
        if width * height > self.limits.pixels:
            raise UnreadableImageError(
                f"{width} x {height} pixels is too large (at most {self.limits.pixels // 1_000_000} million are taken)"
            )

    def _keep_up(self) -> None:
        """Load what others decided, so that no request waits for that."""
        if not self.begins:
            self.thread.call(self._current)

    def _let_go(self) -> None:
        self._followed.close()
        self._nearest.close()
        if self.workers is not None:
            self.workers.close()

    def _load(self) -> Known:
        if not isinstance(self._moved, Encoder) and self._n_workers > 1:
            identity = encoder_of(self.memory)
            opened = load_same_encoder(identity, self._moved, device=self._device)
            self._moved = self._elsewhere(opened, self._moved or identity.source)
        loaded = FewShotClassifier.load(
            self.memory, encoder=self._moved, vocabulary=self._vocabulary, device=self._device
        )
        version = loaded.memory_version
        assert version is not None, "what comes from a memory has its version"
        return Known(loaded, version, self._nearest)

    def _elsewhere(self, encoder: Encoder, source: str) -> Encoder:
        """The encoder in processes, where there are to be some; those of another one end."""
        if self._n_workers == 1:
            return encoder
        before = self.workers
        self.workers = Workers(encoder.identity, source, device=self._device, number=self._n_workers)
        if before is not None:
            threading.Thread(target=before.close, daemon=True).start()
            self.workers.start()
        return pooled(encoder, self.workers)

    def _current(self) -> Known:
        """What the memory knows by now. In one of the encoder's threads."""
        with self._following:
            if self.begins:
                raise ConflictError("The memory has no classes yet.", remedy="Add two classes with pictures.")
            state = self._followed.state()
            if self._known is None or state != self._state:
                self._moved = self._encoder if self._is_same_encoder() else None
                self._known = self._load()
                self._encoder, self._state = self._known.classifier.encoder, state
            return self._known

    def _require_known(self) -> Known:
        assert self._known is not None, "there is a memory"
        return self._known

    def _is_same_encoder(self) -> bool:
        return encoder_of(self.memory).fingerprint == self._encoder.identity.fingerprint

    def _judge(self, asked: Sequence[Asked]) -> None:
        known = self._current()
        encoder = known.classifier.encoder
        current = encoder.identity.fingerprint
        fresh = [one for one in asked if one.what.picture.fingerprint == current]
        for one in (one for one in asked if one.what.picture.fingerprint != current):
            one.answer.set_exception(
                MemoryChangedError("The memory has another encoder since a moment ago.", remedy="Ask again.")
            )
        vectors = encode_ready([one.what.picture for one in fresh], encoder) if fresh else []
        sound = []
        for one, vector in zip(fresh, vectors, strict=True):
            if isinstance(vector, UnreadableImageError):
                one.answer.set_result(SkippedImage(one.what.picture.path, vector.message))
            else:
                sound.append((one, vector))
        if sound:
            _answer(known, [one for one, _ in sound], np.stack([vector for _, vector in sound]))

    def _warm_up(self) -> None:
        """One picture all the way, as many as are ever encoded together, and the names for what is unknown."""
        picture = ready_picture(ImageRecord("warm-up", image=Image.new("RGB", (256, 256), "grey")), self._encoder)
        vectors = encode_ready([picture], self._encoder)
        usual = min(_seconds_of(lambda: encode_ready([picture], self._encoder)) for _ in range(2))
        encode_ready([picture] * self.thread.settle_largest(usual), self._encoder)
        found = [one for one in vectors if not isinstance(one, UnreadableImageError)]
        if found and not self.begins:
            known = self._current()
            samples = _samples(known, ["warm-up"], ["warm-up"], np.stack(found))
            known.classifier.judge(samples)
            known.classifier.likely_names(samples.embeddings, count=1)


def _seconds_of(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _samples(known: Known, paths: Sequence[str], hashes: Sequence[str], vectors: Vectors) -> Samples:
    """Vectors (n, d + f) as samples without labels."""
    n = len(paths)
    identity = known.classifier.fitted.samples.identity
    return Samples(identity, tuple(paths), (None,) * n, tuple(hashes), (None,) * n, (0,) * n, vectors)


def _answer(known: Known, asked: Sequence[Asked], vectors: Vectors) -> None:
    """Judge all at once, and tell each as much as it asked for."""
    wanted: list[Wanted] = [one.what for one in asked]
    hashes = [one.picture.content_hash for one in wanted]
    samples = _samples(known, [one.picture.path for one in wanted], hashes, vectors)
    top, names = max(one.top for one in wanted), max(one.names for one in wanted)
    for one, verdict, vector in zip(asked, known.classifier.judge(samples, top=top, names=names), vectors, strict=True):
        ask: Wanted = one.what
        told = replace(
            verdict,
            top_labels=verdict.top_labels[: max(ask.top, 1)],
            top_probabilities=verdict.top_probabilities[: max(ask.top, 1)],
            names=verdict.names[: ask.names],
        )
        one.answer.set_result(Answer(told, ask.picture.content_hash, vector, known))
