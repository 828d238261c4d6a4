"""Discovery in a pool whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.discovery import Found, Rules, Ties, clusters, discover
from inkling.errors import InputError
from tests.discovery.samples import Sample, draw_classes, draw_sample


def found_in(sample: Sample, ties: Ties | None = None, min_images: int = 5) -> Found:
    rules = Rules(min_images)
    return discover(sample.X, sample.p_known, sample.known_X, sample.known_y, ties=ties or Ties(), rules=rules)


def sets_of(found: Found) -> set[frozenset[int]]:
    return {frozenset(it.rows.tolist()) for it in found.proposals}


def cluster_of(found: Found, n: int) -> dict[int, int]:
    """Proposal of each row that is in one."""
    return {int(row): number for number, it in enumerate(found.proposals) for row in it.rows}


def test_each_new_class_is_proposed_once_and_pure() -> None:
    sample = draw_sample(n_new=4)
    found = found_in(sample)
    assert sorted(set(sample.y[it.rows]).pop() for it in found.proposals) == [6, 7, 8, 9]
    for proposal in found.proposals:
        assert len(set(sample.y[proposal.rows])) == 1
        assert proposal.size == len(proposal.rows) >= 10
        assert proposal.stability >= 0.7
        assert proposal.known_share < 0.5
        assert 0 < proposal.distance <= 2
    assert not found.drift.found


def test_known_images_go_to_their_class() -> None:
    sample = draw_sample(n_new=2)
    found = found_in(sample)
    known = sample.y < sample.n_known
    assert (found.known_class[known] == sample.y[known]).mean() > 0.95
    assert (found.known_class[~known] == -1).mean() > 0.95
    proposed = np.concatenate([it.rows for it in found.proposals])
    every = np.concatenate([proposed, found.leftover, np.flatnonzero(found.known_class >= 0)])
    assert sorted(every.tolist()) == list(range(len(sample.y)))


def test_central_images_are_nearer_than_those_of_the_edge() -> None:
    proposal = found_in(draw_sample(n_new=1, per_new=30)).proposals[0]
    assert set(proposal.central) | set(proposal.farthest) <= set(proposal.rows)
    assert set(proposal.central).isdisjoint(proposal.farthest)


def test_nothing_new_is_nothing_proposed() -> None:
    found = [found_in(draw_sample(n_new=0, per_known=30, seed=seed)) for seed in range(5)]
    assert sum(len(it.proposals) for it in found) <= 1
    assert not any(it.drift.found for it in found)


@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_the_order_of_the_images_has_no_say(seed: int) -> None:
    sample = draw_sample(noise=1.2, seed=seed)
    order = np.random.default_rng(seed).permutation(len(sample.y))
    shuffled = found_in(sample.in_order(order))
    assert {frozenset(order[list(rows)].tolist()) for rows in sets_of(shuffled)} == sets_of(found_in(sample))


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_links_are_kept(data: st.DataObject) -> None:
    sample = draw_sample(n_new=2, per_new=14)
    new = np.flatnonzero(sample.y >= sample.n_known).tolist()
    rows = data.draw(st.lists(st.sampled_from(new), min_size=4, max_size=8, unique=True))
    must, cannot = [(rows[0], rows[1])], [(rows[2], row) for row in rows[3:]]
    found = found_in(sample, Ties(must_link=must, cannot_link=cannot))
    place = cluster_of(found, len(sample.y))
    assert place.get(rows[0]) == place.get(rows[1])
    assert all(place.get(a) is None or place.get(a) != place.get(b) for a, b in cannot)


def test_a_link_brings_in_an_image_that_looks_known() -> None:
    sample = draw_sample(n_new=1)
    new, known = np.flatnonzero(sample.y == sample.n_known)[0], int(sample.p_known.argmax())
    found = found_in(sample, Ties(must_link=[(new, known)]))
    assert {int(new), known} <= set(found.proposals[0].rows.tolist())


def test_copies_do_not_make_a_class() -> None:
    sample = draw_sample(n_new=1, per_new=4)
    new = np.flatnonzero(sample.y == sample.n_known)
    rows = np.concatenate([np.arange(len(sample.y)), np.repeat(new, 5)])
    copied = sample.in_order(rows)
    assert found_in(copied).proposals == ()
    # The same class with one picture more is proposed, and the copies are in it but do not count.
    enough = found_in(copied, min_images=4).proposals[0]
    assert enough.size == 4
    assert len(enough.rows) == 24


def test_a_file_that_is_there_ten_times_is_looked_at_once() -> None:
    sample = draw_sample(n_new=2)
    contents = [f"content {row}" for row in range(len(sample.y))]
    rows = np.concatenate([np.arange(len(sample.y)), np.repeat(np.flatnonzero(sample.y == sample.n_known)[:5], 9)])
    once = found_in(sample, Ties(hashes=contents))
    again = found_in(sample.in_order(rows), Ties(hashes=[contents[row] for row in rows]))
    assert again.drift.excess == once.drift.excess
    assert [one.size for one in again.proposals] == [one.size for one in once.proposals]


def test_pictures_that_the_encoder_cannot_tell_apart_count_but_change_no_cluster() -> None:
    sample = draw_sample(n_new=2, noise=1.1)
    n = len(sample.y)
    rows = np.concatenate([np.arange(n), np.repeat(np.flatnonzero(sample.y == sample.n_known)[:1], 40)])
    looks = np.random.default_rng(0).integers(1, 2**63, size=len(rows), dtype=np.uint64)
    before, after = found_in(sample), found_in(sample.in_order(rows), Ties(looks=looks))
    assert sorted(it.rows.tolist() for it in before.proposals) == sorted(
        it.rows[it.rows < n].tolist() for it in after.proposals
    )
    assert after.proposals[0].size == len(after.proposals[0].rows) > 40


def test_one_source_is_not_enough() -> None:
    sample = draw_sample(n_new=1)
    one = ["camera"] * len(sample.y)
    assert found_in(sample, Ties(sources=one)).proposals == ()
    two = [f"camera {number % 2}" for number in range(len(sample.y))]
    assert found_in(sample, Ties(sources=two)).proposals[0].n_sources == 2


def test_large_pools_are_sorted_in_blocks_to_nearly_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = draw_sample(n_new=3, per_new=30)
    whole = found_in(sample)
    monkeypatch.setattr(clusters, "AT_ONCE", 40)
    blocks = found_in(sample)
    assert [set(sample.y[it.rows]) for it in blocks.proposals] != []
    assert len(blocks.proposals) == len(whole.proposals)
    assert all(len(set(sample.y[it.rows])) == 1 for it in blocks.proposals)


def test_unknown_images_of_no_kind_are_drift() -> None:
    sample = draw_sample(n_new=0, per_known=30)
    noise = np.random.default_rng(1).normal(size=sample.X.shape)
    p = np.full(len(sample.y), 0.01)
    found = discover(noise, p, sample.known_X, sample.known_y)
    assert found.drift.found
    assert found.drift.explained < 0.25
    assert not found.drift.all_alike
    assert "not in groups that would account for it. They may all be of new classes" in found.drift.finding
    assert "images alone can't tell" in found.drift.finding
    assert found.proposals == ()


def test_unknown_images_all_alike_are_drift_and_two_new_classes_are_not() -> None:
    sample = draw_sample(n_new=0, per_known=30)
    shift = 3.0 * np.random.default_rng(2).normal(size=sample.X.shape[1]) / np.sqrt(sample.X.shape[1])
    p = np.full(len(sample.y), 0.01)
    shifted = discover(sample.X + shift, p, sample.known_X, sample.known_y)
    assert shifted.drift.found
    assert shifted.drift.likeness > 0.7
    assert shifted.drift.all_alike
    assert "like each other. They may be of one new class" in shifted.drift.finding
    new = draw_sample(n_new=2, per_known=2, per_new=40)
    found = found_in(new)
    assert not found.drift.found
    assert len(found.proposals) == 2


def test_an_empty_pool_is_no_fault() -> None:
    X, y = draw_classes(n_classes=3, per_class=4, dims=8, noise=0.7, seed=0)
    found = discover(np.zeros((0, 8)), np.zeros(0), X, y)
    assert found.proposals == ()
    assert len(found.known_class) == len(found.leftover) == 0
    assert not found.drift.found


def test_vectors_of_another_encoder_are_refused() -> None:
    sample = draw_sample()
    with pytest.raises(InputError, match="must be \\(n, 48\\)"):
        discover(sample.X[:, :40], sample.p_known, sample.known_X, sample.known_y)
