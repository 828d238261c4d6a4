"""Unlabelled images as they come: one pass, its state in the memory, proposals at the end of each run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import Found, Stream
from inkling.embeddings.samples import Samples
from inkling.images.looks import looks_of
from inkling.memory.discovered import Pool, StreamState
from inkling.memory.pool import observe, read_pool
from inkling.review.changed import unless_changed
from inkling.review.known_images import KnownImages
from inkling.review.propose import (
    Explored,
    Seen,
    detector_of,
    explored,
    linked_rows,
    put_forward,
    require_same_encoder,
)
from inkling.review.retry import retried
from inkling.types import HeadState

LAST = "last"
"""In a stream's state: the highest number of a pooled image that it has seen."""


class Observer:
    """Takes images in batches, and keeps the candidates in the memory.

    Several may watch for one memory at the same time, and people may decide meanwhile: what an observer holds is
    brought into agreement with the pool before it proposes.

    Parameters
    ----------
    path
        The memory that the classifier was loaded from.
    min_images
        Pictures that a proposal needs.

    Raises
    ------
    InputError
        If the memory can't detect unknown images.
    """

    def __init__(self, path: str | Path, classifier: FewShotClassifier, *, min_images: int) -> None:
        self._path, self._classifier, self._min_images = path, classifier, min_images
        self._detector, self._known = detector_of(classifier), KnownImages.of(classifier)
        self._last = 0
        self._taken: set[str] = set()
        self._stream = self._begun(read_pool(path))
        self._n_images = self._n_candidates = 0

    def take(self, samples: Samples) -> None:
        """Look at images, in order; candidates are in the memory when this returns."""
        if not len(samples):
            return
        seen = Seen(samples, np.asarray(self._detector.p_known(samples.X)))
        images, vectors = seen.candidates()
        observe(self._path, images, vectors, fingerprint=samples.identity.fingerprint)
        self._taken |= {image.content_hash for image in images}
        self._stream.observe(
            samples.embeddings,
            seen.p_known,
            hashes=samples.content_hashes,
            looks=looks_of(samples.thumbnails),
        )
        self._n_images += len(samples)
        self._n_candidates += int(seen.candidate.sum())

    def proposed(self) -> Explored:
        """Propose what holds together by now. Where the memory is changed meanwhile, it is done again."""

        def attempt(is_last: bool) -> tuple[Found, list[str]]:
            pool = read_pool(self._path)
            require_same_encoder(pool, self._classifier)
            free = pool.only(~pool.edited)
            self._agree_with(free)
            found = self._by_pool(self._stream.found(), free)
            found = unless_changed(found, self._known, [image.thumbnail for image in free.images])
            state = _kept(self._stream.state(), last=self._last)
            put_forward(self._path, self._classifier, self._known, free, found, stream=state, any_version=is_last)
            return found, [image.path for image in free.images]

        found, paths = retried(attempt)
        return replace(
            explored(self._path, found, None, classes=self._known.names, paths=paths),
            n_images=self._n_images,
            n_candidates=self._n_candidates,
        )

    def _begun(self, pool: Pool) -> Stream:
        """Where the memory's stream stands, or a new one."""
        X, y = self._known.X, self._known.y
        if pool.stream is None:
            return Stream(X, y, min_images=self._min_images, seed=self._classifier.seed)
        self._last = int(pool.stream.state[LAST])
        kept = _restored(pool.stream)
        state = HeadState(kept.name, {**kept.params, "min_images": self._min_images}, kept.arrays)
        return Stream.from_state(state, X, y)

    def _agree_with(self, free: Pool) -> None:
        """Forget images that are decided about, take in those that others observed, and heed what a person said."""
        at_hand = self._at_hand()
        taken = self._taken | at_hand.keys()  # the stream may have let go of some by now
        waiting = {image.content_hash for image in free.images}
        gone = [number for content, number in at_hand.items() if content not in waiting]
        self._stream.forget(np.array(gone, dtype=np.int64))
        new = np.flatnonzero(
            [
                number > self._last and image.content_hash not in taken
                for number, image in zip(free.ids.tolist(), free.images, strict=True)
            ]
        )
        if len(new):
            missing = free.only(np.isin(np.arange(len(free.ids)), new))
            self._stream.observe(
                missing.vectors[:, : self._classifier.fitted.samples.identity.dimension],
                self._detector.p_known(missing.vectors),
                hashes=[image.content_hash for image in missing.images],
                looks=looks_of([image.thumbnail for image in missing.images]),
            )
        self._last = max(self._last, int(free.ids.max(initial=0)))
        numbers = self._at_hand()
        contents = list(numbers)
        pairs = linked_rows(free, contents)
        named = np.array(list(numbers.values()), dtype=np.int64)
        links = {kind: [(named[a], named[b]) for a, b in found] for kind, found in pairs.items()}
        self._recall({int(number) for found in links.values() for pair in found for number in pair}, free)
        self._stream.relink(**links)

    def _recall(self, linked: set[int], free: Pool) -> None:
        """Images that a person spoke of have vectors of their own."""
        numbers = [number for number in self._stream.absorbed.tolist() if number in linked]
        if not numbers:
            return
        names = dict(zip(self._stream.kept.tolist(), self._stream.contents, strict=True))
        row = {image.content_hash: at for at, image in enumerate(free.images)}
        rows = [row[names[number]] for number in numbers]
        dimension = self._classifier.fitted.samples.identity.dimension
        self._stream.recall(np.array(numbers, dtype=np.int64), free.vectors[rows, :dimension])

    def _at_hand(self) -> dict[str, int]:
        """Number of each image that the stream keeps, by content."""
        return dict(zip(self._stream.contents, self._stream.kept.tolist(), strict=True))

    def _by_pool(self, found: Found, free: Pool) -> Found:
        """The same, with rows of the pool in place of the numbers of observations."""
        numbers = self._stream.kept
        row = {image.content_hash: at for at, image in enumerate(free.images)}
        rows = np.full(int(numbers.max(initial=-1)) + 1, -1)
        picture, known_class = -1 - np.arange(len(free.ids)), np.full(len(free.ids), -1)
        for at, (number, content) in enumerate(zip(numbers, self._stream.contents, strict=True)):
            rows[number] = row.get(content, -1)
            if rows[number] >= 0:
                picture[rows[number]], known_class[rows[number]] = found.picture[at], found.known_class[at]
        return replace(found.renamed(rows), picture=picture, known_class=known_class)


def _kept(state: HeadState, *, last: int) -> StreamState:
    """As the memory holds it, where arrays are of numbers."""
    texts = {name: value.tolist() for name, value in state.arrays.items() if value.dtype.kind == "U"}
    arrays: dict[str, Any] = {name: value for name, value in state.arrays.items() if name not in texts}
    return StreamState({"name": state.name, "params": dict(state.params), "texts": texts, LAST: last}, arrays)


def _restored(kept: StreamState) -> HeadState:
    """Inverse of `_kept`."""
    texts = {name: np.array(found, dtype=np.str_) for name, found in kept.state["texts"].items()}
    return HeadState(kept.state["name"], kept.state["params"], {**kept.arrays, **texts})
