"""Large clusters of a stream keep few vectors, and all of their images."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery import Stream, absorbed, stream
from inkling.errors import InputError
from tests.discovery.samples import Sample, draw_sample
from tests.discovery.test_stream import observed, rows_of, stored, stream_of

HELD = 15


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Sample:
    """Two new classes, each of more images than keep their vectors."""
    monkeypatch.setattr(absorbed, "HELD", HELD)
    return draw_sample(n_new=2, per_new=60, noise=0.9)


def new_classes(sample: Sample) -> list[list[int]]:
    return sorted(np.flatnonzero(sample.y == sample.n_known + k).tolist() for k in range(2))


def test_all_images_are_proposed_though_few_keep_their_vectors(sample: Sample) -> None:
    it = observed(sample)
    found = it.found()
    assert sorted(rows_of(found)) == new_classes(sample)
    assert [one.size for one in found.proposals] == [60, 60]
    assert [one.n_sources for one in found.proposals] == [60, 60]
    assert len(it.absorbed) == 2 * (60 - HELD)
    assert set(it.absorbed) < set(it.kept)
    assert np.isin(np.concatenate([one.central for one in found.proposals]), it.kept).all()


def test_what_was_absorbed_is_stored_and_counts_as_before(sample: Sample) -> None:
    half = len(sample.y) // 2
    contents = [f"content {number}" for number in range(len(sample.y))]
    first = stream_of(sample)
    first.observe(sample.X[:half], sample.p_known[:half], hashes=contents[:half])
    first.consolidate()
    second = Stream.from_state(stored(first.state()), sample.known_X, sample.known_y)
    assert len(first.absorbed) > 0
    for it in (first, second):
        it.observe(sample.X, sample.p_known, hashes=contents)  # the first half again
    assert rows_of(second.found()) == rows_of(first.found())
    assert second.contents == first.contents
    assert len(set(second.contents)) == len(second.contents)


def test_images_of_one_that_was_let_go_are_in_the_hands_of_another(sample: Sample) -> None:
    it = observed(sample)
    it.found()
    (first, second) = new_classes(sample)
    with_vectors = np.setdiff1d(first, it.absorbed)
    it.forget(with_vectors[:5])
    assert sorted(rows_of(it.found())) == [sorted({*first} - {*with_vectors[:5].tolist()}), second]
    it.forget(np.array(second))
    assert set(it.kept).isdisjoint(second)


def test_links_need_vectors_which_can_be_given_again(sample: Sample) -> None:
    it = observed(sample)
    it.found()
    a, b = it.absorbed[:2].tolist()
    with pytest.raises(InputError, match="without their vectors") as refused:
        it.link(cannot_link=[(a, b)])
    assert refused.value.remedy == "Call recall with these first."
    it.recall(np.array([a, b]), sample.X[[a, b]])
    it.link(cannot_link=[(a, b)])
    for _ in range(2):
        assert not any({a, b} <= set(rows) for rows in rows_of(it.found()))
        assert set(it.absorbed).isdisjoint({a, b})  # what a person spoke of keeps its vector


def test_copies_and_bursts_count_once_without_their_vectors(sample: Sample) -> None:
    new = np.flatnonzero(sample.y == sample.n_known)[:3]
    rng = np.random.default_rng(0)
    it = stream_of(sample)
    for _ in range(20):
        near = sample.X[new] + 0.004 * rng.standard_normal((3, sample.X.shape[1])).astype(np.float32)
        it.observe(near / np.linalg.norm(near, axis=1, keepdims=True), sample.p_known[new])
    assert it.found().proposals == ()
    assert len(it.kept) == 60
    assert len(it.absorbed) == 60 - HELD


def test_what_keeps_vectors_is_a_fair_sample(sample: Sample) -> None:
    it = observed(sample)
    for _ in range(6):
        it.observe(sample.X + np.float32(1e-6), sample.p_known)
        it.consolidate()
    numbers = np.setdiff1d(it.kept[it.kept < len(sample.y)], it.absorbed)
    early, late = (numbers < len(sample.y) / 2).sum(), (numbers >= len(sample.y) / 2).sum()
    assert min(early, late) >= 0.25 * (early + late)


def test_vectors_do_not_grow_with_the_stream(monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 200)
    monkeypatch.setattr(stream, "CONSOLIDATE_EVERY", 100)
    it = stream_of(sample)
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(12):
        X = sample.X + 0.02 * rng.standard_normal(sample.X.shape).astype(np.float32)
        it.observe(X / np.linalg.norm(X, axis=1, keepdims=True), sample.p_known)
        it.consolidate()
        kept.append(len(it.kept) - len(it.absorbed))
    assert max(kept[6:]) <= max(kept[:6])
    assert sorted(len(rows) for rows in rows_of(it.found())) == [12 * 60] * 2
