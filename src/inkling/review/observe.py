"""Unlabelled images as they come: one pass, its state in the memory, proposals at the end of each run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery import Found, Stream
from inkling.discovery.batch import GATE
from inkling.embeddings.samples import Samples
from inkling.memory.discovered import Pool, StreamState
from inkling.memory.pool import observe, read_pool
from inkling.review.explore import pooled
from inkling.review.propose import Explored, detector_of, known_side, put_forward
from inkling.types import HeadState

TEXTS = ("sources", "hashes")
"""Columns of a stream's state that JSON holds: arrays of a memory are numbers."""


class Observer:
    """Watches images go by, and keeps in the memory what is strange.

    Parameters
    ----------
    path
        The memory that the classifier was loaded from.
    min_images
        Pictures that a proposal needs.

    Raises
    ------
    InputError
        If the memory can't tell strange images.
    """

    def __init__(self, path: str | Path, classifier: FewShotClassifier, *, min_images: int) -> None:
        self._path, self._classifier = path, classifier
        self._detector = detector_of(classifier)
        self._stream = self._begun(read_pool(path), min_images)
        self._n_images = self._n_strange = 0

    def take(self, samples: Samples) -> None:
        """Look at images, in order; what is strange is in the memory when this returns."""
        if not len(samples):
            return
        p_known = self._detector.p_known(samples.X)
        self._stream.observe(samples.embeddings, p_known, hashes=samples.content_hashes)
        strange = p_known <= GATE
        observe(
            self._path,
            pooled(samples, p_known, strange),
            samples.X[strange],
            fingerprint=samples.identity.fingerprint,
            stream=_kept(self._stream.state()),
        )
        self._n_images += len(samples)
        self._n_strange += int(strange.sum())

    def proposed(self) -> Explored:
        """Propose what holds together by now."""
        found = self._stream.found()
        pool = read_pool(self._path)
        proposals, version = put_forward(self._path, self._classifier, pool, self._by_pool(found, pool))
        return Explored(
            proposals=proposals,
            drift=found.drift,
            n_images=self._n_images,
            n_strange=self._n_strange,
            waiting=dict(zip(pool.ids.tolist(), pool.images, strict=True)),
            memory_version=version,
        )

    def _begun(self, pool: Pool, min_images: int) -> Stream:
        """Where the memory's stream stands, without images that were decided about since; or a new one."""
        known_X, known_y = known_side(self._classifier)
        if pool.stream is None:
            return Stream(known_X, known_y, min_images=min_images, seed=self._classifier.seed)
        kept = _restored(pool.stream)
        state = HeadState(kept.name, {**kept.params, "min_images": min_images}, kept.arrays)
        stream = Stream.from_state(state, known_X, known_y)
        waiting = [image.content_hash for image in pool.images]
        gone = ~np.isin(state.arrays["hashes"], waiting)
        stream.forget(state.arrays["number"][gone])
        return stream

    def _by_pool(self, found: Found, pool: Pool) -> Found:
        """The same, with rows of the pool in place of the numbers of observations."""
        state = self._stream.state().arrays
        row = {image.content_hash: at for at, image in enumerate(pool.images)}
        rows = np.full(int(state["number"].max(initial=-1)) + 1, -1)
        for number, content in zip(state["number"].tolist(), state["hashes"].tolist(), strict=True):
            rows[number] = row.get(content, -1)
        return found.renamed(rows)


def _kept(state: HeadState) -> StreamState:
    """As the memory holds it."""
    texts = {name: state.arrays[name].tolist() for name in TEXTS}
    arrays = {name: value for name, value in state.arrays.items() if name not in TEXTS}
    return StreamState({"name": state.name, "params": dict(state.params), "texts": texts}, arrays)


def _restored(kept: StreamState) -> HeadState:
    """Inverse of `_kept`."""
    texts = {name: np.array(kept.state["texts"][name], dtype=np.str_) for name in TEXTS}
    return HeadState(kept.state["name"], kept.state["params"], {**kept.arrays, **texts})
