"""A stream gives what a batch gives, and goes on where it was stored."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from inkling.discovery import Found, Stream, Ties, clusters, discover, stream
from inkling.discovery.stream import RECENT
from inkling.errors import InputError
from inkling.types import HeadState
from tests.discovery.samples import Sample, draw_sample


def stream_of(sample: Sample, **options: Any) -> Stream:
    return Stream(sample.known_X, sample.known_y, **options)


def observed(sample: Sample, *, part: int = 17, **options: Any) -> Stream:
    """A stream that saw the pool in parts."""
    stream = stream_of(sample, **options)
    for start in range(0, len(sample.y), part):
        stream.observe(sample.X[start : start + part], sample.p_known[start : start + part])
    return stream


def rows_of(found: Found) -> list[list[int]]:
    return [it.rows.tolist() for it in found.proposals]


def stored(state: HeadState) -> HeadState:
    """Through JSON and an npz file without objects."""
    file = io.BytesIO()
    np.savez(file, **state.arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return HeadState(state.name, json.loads(json.dumps(state.params)), dict(arrays))


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_ends_where_a_batch_does(seed: int) -> None:
    sample = draw_sample(noise=1.1, seed=seed)
    batch = discover(sample.X, sample.p_known, sample.known_X, sample.known_y)
    found = observed(sample).found()
    assert rows_of(found) == rows_of(batch)
    assert [it.stability for it in found.proposals] == [it.stability for it in batch.proposals]
    assert observed(sample, part=len(sample.y)).found().drift == batch.drift
    # Some processors sum the products of many rows in another order than those of few.
    assert found.drift.likeness == pytest.approx(batch.drift.likeness, rel=1e-12)
    assert replace(found.drift, likeness=batch.drift.likeness) == batch.drift


def test_pictures_with_one_vector_are_distinguished_by_their_looks_as_in_a_batch() -> None:
    sample = draw_sample(n_new=2, noise=1.1)
    rows = np.concatenate([np.arange(len(sample.y)), np.repeat(np.flatnonzero(sample.y == sample.n_known)[:2], 10)])
    more = sample.in_order(np.random.default_rng(1).permutation(rows))
    looks = np.random.default_rng(2).integers(1, 2**63, size=len(rows), dtype=np.uint64)
    batch = discover(more.X, more.p_known, more.known_X, more.known_y, ties=Ties(looks=looks))
    stream = stream_of(more)
    for start in range(0, len(rows), 7):
        part = slice(start, start + 7)
        stream.observe(more.X[part], more.p_known[part], looks=looks[part])
    found = stream.found()
    assert rows_of(found) == rows_of(batch)
    assert [it.size for it in found.proposals] == [it.size for it in batch.proposals]


def test_it_goes_on_from_a_state_of_before_pictures_with_one_vector_weighed_as_one() -> None:
    sample = draw_sample(noise=1.1)
    state = stored(observed(sample).state())
    old = HeadState(
        state.name, state.params, {name: it for name, it in state.arrays.items() if name not in ("alike", RECENT)}
    )
    read = Stream.from_state(old, sample.known_X, sample.known_y)
    assert rows_of(read.found()) == rows_of(observed(sample).found())


def test_a_class_is_proposed_once_it_has_images_enough() -> None:
    sample = draw_sample(n_new=1, per_new=20)
    stream, seen = stream_of(sample), 0
    for x, p, y in zip(sample.X, sample.p_known, sample.y, strict=True):
        stream.observe(x[None], np.array([p]))
        seen += int(y == sample.n_known)
        if seen < 5:
            assert stream.found().proposals == ()
        if seen == 12:
            break
    assert len(stream.found().proposals) == 1


def test_it_goes_on_where_it_was_stored() -> None:
    sample = draw_sample(noise=1.1)
    half = len(sample.y) // 2
    first = stream_of(sample, min_images=4)
    first.observe(sample.X[:half], sample.p_known[:half], sources=["a", "b"] * (half // 2) + ["c"] * (half % 2))
    first.link(cannot_link=[tuple(first.kept[:2])])
    second = Stream.from_state(stored(first.state()), sample.known_X, sample.known_y)
    for it in (first, second):
        it.observe(sample.X[half:], sample.p_known[half:])
    assert stored(second.state()).params == first.state().params
    for name, array in first.state().arrays.items():
        assert second.state().arrays[name].tolist() == array.tolist()
    assert rows_of(second.found()) == rows_of(first.found())


def test_a_class_added_since_takes_its_images() -> None:
    sample = draw_sample(n_new=2)
    state = observed(sample).state()
    added = sample.y == sample.n_known
    known_X = np.concatenate([sample.known_X, sample.X[added]])
    known_y = np.concatenate([sample.known_y, sample.y[added]])
    found = Stream.from_state(state, known_X, known_y).found()
    assert [set(sample.y[rows]) for rows in rows_of(found)] == [{sample.n_known + 1}]


def test_images_let_go_are_gone() -> None:
    sample = draw_sample(n_new=2)
    stream = observed(sample)
    gone = stream.found().proposals[0].rows
    stream.forget(gone)
    assert set(stream.kept).isdisjoint(gone)
    assert len(stream.found().proposals) == 1


def test_links_are_kept_by_what_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = draw_sample(n_new=1, per_new=30)
    for at_once in (clusters.AT_ONCE, 10):
        monkeypatch.setattr(clusters, "AT_ONCE", at_once)
        monkeypatch.setattr(stream, "AT_ONCE", at_once)
        half = len(sample.y) // 2
        it = stream_of(sample)
        it.observe(sample.X[:half], sample.p_known[:half])
        a, b = np.flatnonzero(sample.y[:half] == sample.n_known)[:2].tolist()
        it.link(cannot_link=[(a, b)])
        it.observe(sample.X[half:], sample.p_known[half:])
        assert not any({a, b} <= set(rows) for rows in rows_of(it.found()))


def test_contradicting_links_are_refused_and_change_nothing() -> None:
    sample = draw_sample()
    stream = observed(sample)
    a, b = stream.kept[:2].tolist()
    stream.link(must_link=[(a, b)])
    before = rows_of(stream.found())
    with pytest.raises(InputError, match="must not be in one cluster"):
        stream.link(cannot_link=[(b, a)])
    with pytest.raises(InputError, match="from 0 to"):
        stream.link(must_link=[(0, stream.seen)])
    assert rows_of(stream.found()) == before


def test_small_old_clusters_expire_and_proposals_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 30)
    sample = draw_sample(n_new=2, per_new=12)
    second = sample.y == sample.n_known + 1
    rare = sample.in_order(np.concatenate([np.flatnonzero(~second), np.flatnonzero(second)[:3]]))
    it = observed(rare)
    old = it.kept
    rng = np.random.default_rng(0)
    it.observe(rare.known_X[:40], rng.uniform(0.2, 1.0, size=40))
    proposals = rows_of(it.found())
    assert len(proposals) == 1
    assert set(proposals[0]) <= set(it.kept)
    assert len(it.kept) < len(old)


def test_a_copy_joins_its_picture_and_counts_once() -> None:
    sample = draw_sample(n_new=1, per_new=4)
    stream = observed(sample)
    new = np.flatnonzero(sample.y == sample.n_known)
    for _ in range(3):
        stream.observe(sample.X[new], sample.p_known[new])
    assert stream.found().proposals == ()
    contents = [f"content {number}" for number in range(len(new))]
    assert len(stream.observe(sample.X[new], sample.p_known[new], hashes=contents)) == 4


def test_many_images_are_mended_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = draw_sample(n_new=3, per_new=30, noise=0.9)
    monkeypatch.setattr(clusters, "AT_ONCE", 30)
    monkeypatch.setattr(stream, "AT_ONCE", 30)
    labels = np.full(len(sample.y), -1)
    for number, rows in enumerate(rows_of(observed(sample).found())):
        labels[rows] = number
    new = sample.y >= sample.n_known
    assert adjusted_rand_score(sample.y[new], labels[new]) > 0.9


def test_lists_of_another_length_are_refused() -> None:
    sample = draw_sample()
    with pytest.raises(InputError, match="hashes must name one for each"):
        stream_of(sample).observe(sample.X, sample.p_known, hashes=["a"])
    with pytest.raises(InputError, match="p_known"):
        stream_of(sample).observe(sample.X, sample.p_known[1:])


def test_what_comes_again_counts_once_whether_it_was_kept_let_go_or_passed_by() -> None:
    sample = draw_sample(noise=1.1)
    contents = [f"content {number}" for number in range(len(sample.y))]
    once = stream_of(sample)
    once.observe(sample.X, sample.p_known, hashes=contents)
    again = Stream.from_state(stored(once.state()), sample.known_X, sample.known_y)
    again.forget(again.kept)
    for _ in range(2):
        again.observe(sample.X, sample.p_known, hashes=contents)
    assert [it.stability for it in again.found().proposals] == [it.stability for it in once.found().proposals]
    assert again.found().drift == once.found().drift
    counts = [it.state().arrays["p_counts"].tolist() for it in (once, again)]
    assert counts[0] == counts[1]
    assert sum(counts[0]) == len(sample.y)
