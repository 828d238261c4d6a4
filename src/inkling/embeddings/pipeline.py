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
from inkling.encoders.composed import composed_images, naming_the_part, parts_of
from inkling.errors import EncoderError, UnreadableImageError
from inkling.images.boxes import source_of
from inkling.images.decode import Content, read, thumbnail
from inkling.images.files import Files
from inkling.images.views import view_of
from inkling.types import ImageRecord

BY_ENCODER = "the encoder gave"
"""Beginning of reasons that are no fault of an image."""
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
    """A decoded picture: what each part of the encoder that lacks its vectors will read, by the part's number."""

    prepared: Mapping[int, Prepared]
    thumbnail: bytes


_Prepared = Mapping[str, _Ready | UnreadableImageError]
"""What became of the contents of one job, by their hashes: of a picture, or of several boxes in it."""


@dataclass
class _Planned:
    """A batch whose contents are hashed.

    Some outcomes are known; the others are on their way by `jobs` of this batch, or of an earlier one that
    holds the same content. `known` has what the cache knows by each part of the encoder.
    """

    contents: list[tuple[ImageRecord, _Read]]
    known: list[dict[str, CachedImage]]
    jobs: dict[str, Future[_Prepared]]
    outcomes: dict[str, Outcome]


class Pipeline:
    """Takes records through reading, the cache, decoding and the encoder, batch by batch and in order.

    Leaving the context drops the work that has not begun and waits for the few decodings under way, so Ctrl-C
    ends within moments.

    Parameters
    ----------
    encoder
        Makes the vectors, or is composed of parts that do.
    caches
        Where those of each of `parts_of` the encoder are kept.
    view
        As for `inkling.images.views.view_of`.
    threads
        How many decode; None: one for each processor.
    """

    def __init__(self, encoder: Encoder, caches: Sequence[RunCache], *, view: int, threads: int | None = None) -> None:
        self._encoder = encoder
        self._parts = parts_of(encoder)
        self._caches = caches
        self._view = view
        self._files = Files()
        self._threads = ThreadPoolExecutor(threads or _n_threads(), thread_name_prefix="inkling-decode")

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
            reading.append(self._submitted(batch))

    def _submitted(self, batch: Sequence[ImageRecord]) -> list[tuple[ImageRecord, Future[_Read]]]:
        """Each record with what will have been read; a picture of several boxes is read once."""
        pictures: dict[str, Future[_Read]] = {}
        jobs = []
        for record in batch:
            job = None if record.file is None else pictures.get(record.file)
            if job is None:
                job = self._threads.submit(self._read, record)
                if record.file is not None:
                    pictures[record.file] = job
            jobs.append((record, job))
        return jobs

    def _plan(self, batch: list[tuple[ImageRecord, Future[_Read]]], earlier: Sequence[_Planned]) -> _Planned:
        """Ask the cache, and have the rest decoded, save what an earlier batch is at already."""
        contents = [(record, _of(future.result(), record)) for record, future in batch]
        readable = {content.content_hash: content for _, content in contents if isinstance(content, Content)}
        known = [cache.get_images(readable, view=self._view) for cache in self._caches]
        lacking = {
            key: [part for part, found in enumerate(known) if key not in found]
            for key in readable
            if not any(key in other.jobs for other in earlier)
        }
        jobs: dict[str, Future[_Prepared]] = {}
        for keys in _by_picture([key for key, parts in lacking.items() if parts], readable):
            job = self._threads.submit(self._prepare, [(readable[key], lacking[key]) for key in keys])
            jobs |= dict.fromkeys(keys, job)
        return _Planned(contents, known, jobs, {})

    def _read(self, record: ImageRecord) -> _Read:
        try:
            return read(record, self._files)
        except UnreadableImageError as error:
            return error

    def _prepare(self, contents: Sequence[tuple[Content, Sequence[int]]]) -> _Prepared:
        """What the parts of the encoder that lack it will read: of one content, or of boxes in one picture."""
        first, parts = contents[0]
        if first.record.box is None:
            return {first.content_hash: self._ready(first, parts)}
        try:
            picture = first.decode_whole(self._files)
        except UnreadableImageError as error:
            return {content.content_hash: error for content, _ in contents}
        return {content.content_hash: self._ready(content.within(picture), parts) for content, parts in contents}

    def _ready(self, content: Content, lacking: Sequence[int]) -> _Ready | UnreadableImageError:
        prepared: dict[int, Prepared] = {}
        try:
            sides = {part: self._parts[part].shorter_side for part in lacking}
            for image, parts in content.decode_for(self._files, sides):
                seen = view_of(image, self._view, key=content.content_hash)
                prepared |= {part: self._parts[part].prepare(seen) for part in parts}
                picture = thumbnail(image)
        except UnreadableImageError as error:
            return error
        return _Ready(prepared, picture)

    def _finish(self, batch: _Planned) -> tuple[Finished, Mapping[str, Outcome]]:
        ready: dict[str, _Ready] = {}
        for content_hash, job in batch.jobs.items():
            result = job.result()[content_hash]
            if isinstance(result, _Ready):
                ready[content_hash] = result
            else:
                batch.outcomes[content_hash] = result
        for part in range(len(self._parts)):
            self._encode(part, ready, batch)
        batch.outcomes |= self._composed(batch)
        done = tuple(
            Done(record, None, content)
            if isinstance(content, UnreadableImageError)
            else Done(record, content.content_hash, batch.outcomes[content.content_hash])
            for record, content in batch.contents
        )
        return Finished(done, len(ready)), batch.outcomes

    def _encode(self, part: int, ready: Mapping[str, _Ready], batch: _Planned) -> None:
        """Vectors of one part for the images that lack them: the sound ones are kept, the others end their image."""
        encoder = self._parts[part]
        wanted = {key: image for key, image in ready.items() if part in image.prepared}
        if not wanted:
            return
        with naming_the_part(encoder, of=self._encoder):
            vectors = encoder.encode_images([image.prepared[part] for image in wanted.values()])
            check_vectors(vectors, encoder, len(wanted))
        made = {key: outcome_of(vectors, row, image.thumbnail) for row, (key, image) in enumerate(wanted.items())}
        sound = {key: value for key, value in made.items() if isinstance(value, CachedImage)}
        batch.outcomes |= {key: value for key, value in made.items() if key not in sound}
        batch.known[part].update(sound)
        self._caches[part].put_images(sound, view=self._view)

    def _composed(self, batch: _Planned) -> dict[str, Outcome]:
        """Outcomes of the images of which every part has vectors."""
        first, *others = batch.known
        whole = [key for key in first if key not in batch.outcomes and all(key in other for other in others)]
        if not whole or self._parts == (self._encoder,):
            return {key: first[key] for key in whole}
        vectors = composed_images(self._encoder, [_stacked([found[key] for key in whole]) for found in batch.known])
        return {key: outcome_of(vectors, row, first[key].thumbnail) for row, key in enumerate(whole)}


def _of(content: _Read, record: ImageRecord) -> _Read:
    """What was read for another box in the same picture."""
    return content.of(record) if isinstance(content, Content) and record.box is not None else content


def _by_picture(keys: Sequence[str], contents: Mapping[str, Content]) -> Iterator[list[str]]:
    """Keys that one job takes: those of boxes in one picture together, as it is then decoded once."""
    of_pictures: dict[str, list[str]] = {}
    for key in keys:
        if contents[key].record.box is None:
            yield [key]
        else:
            of_pictures.setdefault(source_of(key), []).append(key)
    yield from of_pictures.values()


def _n_threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(outcomes: Mapping[str, Outcome], later: _Planned) -> None:
    for _, content in later.contents:
        if isinstance(content, Content) and content.content_hash in outcomes:
            later.outcomes.setdefault(content.content_hash, outcomes[content.content_hash])


def _stacked(images: Sequence[CachedImage]) -> ImageVectors:
    features = [image.feature for image in images if image.feature is not None]
    return ImageVectors(np.stack([image.embedding for image in images]), np.stack(features) if features else None)


def outcome_of(vectors: ImageVectors, row: int, picture: bytes) -> Outcome:
    """One image of a batch, or why its vector is of no use."""
    embedding = vectors.embeddings[row]
    feature = None if vectors.features is None else vectors.features[row]
    if not np.isfinite(embedding).all() or (feature is not None and not np.isfinite(feature).all()):
        return UnreadableImageError(f"{BY_ENCODER} a vector that is not finite")
    if not embedding.any():
        return UnreadableImageError(f"{BY_ENCODER} a vector of zeros, which has no direction")
    return CachedImage(embedding, feature, picture)


def check_vectors(vectors: ImageVectors, encoder: Encoder, n_images: int) -> None:
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
