"""Decoding in threads beside the encoder, with bounded look-ahead.

A pool of threads reads, hashes, decodes and prepares the images of the coming batches, while the caller's
thread asks the cache and runs the encoder on the batch at hand. At most `LOOK_AHEAD` batches are read ahead
and as many decoded ahead, so memory does not grow with the number of images.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from inkling.embeddings.entries import CachedImage
from inkling.embeddings.run_cache import RunCache
from inkling.encoders.base import Encoder, ImageVectors, Prepared
from inkling.errors import EncoderError, UnreadableImageError
from inkling.images.decode import Content, read, thumbnail
from inkling.images.files import Files
from inkling.images.views import view_of
from inkling.types import ImageRecord

LOOK_AHEAD = 2

Outcome = CachedImage | UnreadableImageError
"""What became of one content: its vectors, or why there are none."""

_Read = Content | UnreadableImageError


@dataclass(frozen=True)
class Done:
    """One record that has been through: `content_hash` is None where not even the bytes could be read."""

    record: ImageRecord
    content_hash: str | None
    outcome: Outcome


@dataclass(frozen=True)
class Finished:
    """A batch that has been through, and how many of its images the encoder saw."""

    done: tuple[Done, ...]
    n_encoded: int


@dataclass(frozen=True)
class _Ready:
    prepared: Prepared
    thumbnail: bytes


@dataclass
class _Planned:
    """A batch whose contents are hashed.

    Some outcomes are known; the others are on their way by `jobs` of this batch, or of an earlier one that
    holds the same content.
    """

    contents: list[tuple[ImageRecord, _Read]]
    jobs: dict[str, Future[_Ready | UnreadableImageError]]
    outcomes: dict[str, Outcome]


class Pipeline:
    """Takes records through reading, the cache, decoding and the encoder, batch by batch and in order.

    Leaving the context drops the work that has not begun and waits for the few decodings under way, so Ctrl-C
    ends within moments.
    """

    def __init__(self, encoder: Encoder, cache: RunCache, *, view: int) -> None:
        self._encoder = encoder
        self._cache = cache
        self._view = view
        self._files = Files()
        self._threads = ThreadPoolExecutor(_n_threads(), thread_name_prefix="inkling-decode")

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._files.close()

    def run(self, batches: Iterator[Sequence[ImageRecord]]) -> Iterator[Finished]:
        """Finished batches, in the order given."""
        reading: deque[list[tuple[ImageRecord, Future[_Read]]]] = deque()
        planned: deque[_Planned] = deque()
        while True:
            self._read_ahead(batches, reading)
            while reading and len(planned) < LOOK_AHEAD:
                planned.append(self._plan(reading.popleft(), planned))
                self._read_ahead(batches, reading)
            if not planned:
                return
            finished, outcomes = self._finish(planned.popleft())
            for later in planned:
                _share(outcomes, later)
            yield finished

    def _read_ahead(
        self,
        batches: Iterator[Sequence[ImageRecord]],
        reading: deque[list[tuple[ImageRecord, Future[_Read]]]],
    ) -> None:
        while len(reading) < LOOK_AHEAD and (batch := next(batches, None)) is not None:
            reading.append([(record, self._threads.submit(self._read, record)) for record in batch])

    def _plan(self, batch: list[tuple[ImageRecord, Future[_Read]]], earlier: Sequence[_Planned]) -> _Planned:
        """Ask the cache, and have the rest decoded, save what an earlier batch is at already."""
        contents = [(record, future.result()) for record, future in batch]
        readable = {content.content_hash: content for _, content in contents if isinstance(content, Content)}
        outcomes: dict[str, Outcome] = dict(self._cache.get_images(readable, view=self._view))
        jobs = {
            content_hash: self._threads.submit(self._prepare, content)
            for content_hash, content in readable.items()
            if content_hash not in outcomes and not any(content_hash in other.jobs for other in earlier)
        }
        return _Planned(contents, jobs, outcomes)

    def _read(self, record: ImageRecord) -> _Read:
        try:
            return read(record, self._files)
        except UnreadableImageError as error:
            return error

    def _prepare(self, content: Content) -> _Ready | UnreadableImageError:
        try:
            image = content.decode(self._files, shorter_side=self._encoder.shorter_side)
        except UnreadableImageError as error:
            return error
        seen = view_of(image, self._view, key=content.content_hash)
        return _Ready(self._encoder.prepare(seen), thumbnail(image))

    def _finish(self, batch: _Planned) -> tuple[Finished, Mapping[str, Outcome]]:
        ready: dict[str, _Ready] = {}
        for content_hash, job in batch.jobs.items():
            result = job.result()
            if isinstance(result, _Ready):
                ready[content_hash] = result
            else:
                batch.outcomes[content_hash] = result
        batch.outcomes |= self._encode(ready)
        done = tuple(
            Done(record, None, content)
            if isinstance(content, UnreadableImageError)
            else Done(record, content.content_hash, batch.outcomes[content.content_hash])
            for record, content in batch.contents
        )
        return Finished(done, len(ready)), batch.outcomes

    def _encode(self, ready: Mapping[str, _Ready]) -> dict[str, Outcome]:
        if not ready:
            return {}
        vectors = self._encoder.encode_images([image.prepared for image in ready.values()])
        _check(vectors, self._encoder, len(ready))
        outcomes: dict[str, Outcome] = {
            content_hash: _outcome(vectors, row, image.thumbnail)
            for row, (content_hash, image) in enumerate(ready.items())
        }
        sound = {key: value for key, value in outcomes.items() if isinstance(value, CachedImage)}
        self._cache.put_images(sound, view=self._view)
        return outcomes


def _n_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(outcomes: Mapping[str, Outcome], later: _Planned) -> None:
    for _, content in later.contents:
        if isinstance(content, Content) and content.content_hash in outcomes:
            later.outcomes.setdefault(content.content_hash, outcomes[content.content_hash])


def _outcome(vectors: ImageVectors, row: int, picture: bytes) -> Outcome:
    embedding = vectors.embeddings[row]
    feature = None if vectors.features is None else vectors.features[row]
    if not np.isfinite(embedding).all() or (feature is not None and not np.isfinite(feature).all()):
        return UnreadableImageError("the encoder gave a vector that is not finite")
    if not embedding.any():
        return UnreadableImageError("the encoder gave a vector of zeros, which has no direction")
    return CachedImage(embedding, feature, picture)


def _check(vectors: ImageVectors, encoder: Encoder, n_images: int) -> None:
    """An encoder that breaks its own promise must not fill the cache."""
    identity = encoder.identity
    found = (vectors.embeddings.shape, None if vectors.features is None else vectors.features.shape)
    features = (n_images, identity.feature_dimension) if identity.feature_dimension else None
    expected = ((n_images, identity.dimension), features)
    if found != expected:
        raise EncoderError(
            f"The encoder {identity.name} returned vectors of shapes {found}; it announces {expected}.",
            remedy="Correct the description of the encoder: its dimensions must be those of its outputs.",
        )
