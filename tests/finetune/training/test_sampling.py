"""The stated rules of balanced batches, on any labels and sizes."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.finetune.training.sampling import BalancedBatches, shard, zero_shot_margins

labels_of_any_sizes = st.lists(st.integers(1, 9), min_size=2, max_size=7).map(
    lambda sizes: np.repeat(np.arange(len(sizes)), sizes)
)


def take(n: int, labels: np.ndarray, **options: Any) -> list[np.ndarray]:
    return list(islice(BalancedBatches(labels, **{"seed": 0, **options}), n))


@given(labels=labels_of_any_sizes, batch_size=st.integers(1, 20), seed=st.integers(0, 99))
def test_classes_of_a_batch_differ_by_one_at_most(labels: np.ndarray, batch_size: int, seed: int) -> None:
    n_classes = labels.max() + 1
    for rows in take(12, labels, batch_size=batch_size, seed=seed):
        counts = np.bincount(labels[rows], minlength=n_classes)
        assert len(rows) == batch_size
        assert counts.max() - counts.min() <= 1


@given(labels=labels_of_any_sizes, batch_size=st.integers(1, 20), seed=st.integers(0, 99))
def test_no_class_is_favoured_in_the_long_run(labels: np.ndarray, batch_size: int, seed: int) -> None:
    drawn = np.concatenate(take(15, labels, batch_size=batch_size, seed=seed))
    counts = np.bincount(labels[drawn], minlength=labels.max() + 1)
    assert counts.max() - counts.min() <= 1


@given(labels=labels_of_any_sizes, batch_size=st.integers(1, 20), seed=st.integers(0, 99), easy=st.booleans())
def test_every_image_comes_once_before_any_repeats(labels: np.ndarray, batch_size: int, seed: int, easy: bool) -> None:
    margins = np.linspace(0, 1, len(labels)) if easy else None
    drawn = np.concatenate(take(20, labels, batch_size=batch_size, seed=seed, margins=margins))
    for label in np.unique(labels):
        mine = drawn[labels[drawn] == label]
        n = int((labels == label).sum())
        for start in range(0, len(mine), n):
            part = mine[start : start + n]
            assert len(set(part.tolist())) == len(part)


def test_one_image_of_every_class_is_the_default() -> None:
    labels = np.repeat(np.arange(6), 4)
    for rows in take(10, labels):
        assert sorted(labels[rows]) == list(range(6))


def test_groups_of_a_class_come_together() -> None:
    labels = np.repeat(np.arange(6), 5)
    batches = take(10, labels, batch_size=6, images_per_class=3)
    assert {len(set(labels[rows])) for rows in batches} == {2}
    assert len(set(np.concatenate(batches[:10]).tolist())) == 30
    assert BalancedBatches(labels, images_per_class=2, seed=0).batch_size == 12


def test_an_epoch_draws_as_many_images_as_there_are() -> None:
    labels = np.repeat([0, 1], [3, 10])
    assert BalancedBatches(labels, batch_size=4, seed=0).epoch_length == 4
    assert BalancedBatches(labels, batch_size=13, seed=0).epoch_length == 1


def test_the_seed_makes_the_sequence() -> None:
    labels = np.repeat(np.arange(4), 5)
    first, again, other = (take(9, labels, batch_size=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_easy_images_come_first_in_each_pass() -> None:
    labels = np.repeat([0, 1], 4)
    margins = np.array([0.1, 0.9, -2.0, 0.5, 3.0, 1.0, 2.0, -1.0])
    drawn = np.concatenate(take(8, labels, margins=margins))
    assert drawn[labels[drawn] == 0].tolist() == [1, 3, 0, 2] * 2
    assert drawn[labels[drawn] == 1].tolist() == [4, 6, 5, 7] * 2


@given(n=st.integers(1, 30), n_processes=st.integers(1, 6))
def test_processes_share_a_batch_without_gap_or_overlap(n: int, n_processes: int) -> None:
    rows = np.arange(n) * 7
    parts = [shard(rows, rank, n_processes) for rank in range(n_processes)]
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_groups_that_do_not_fill_the_batch_are_refused() -> None:
    with pytest.raises(InputError, match="that 2 divides"):
        BalancedBatches(np.array([0, 1]), batch_size=3, images_per_class=2, seed=0)


def test_the_margin_is_the_lead_of_the_true_class() -> None:
    logits = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]])
    np.testing.assert_allclose(zero_shot_margins(logits, np.array([0, 2])), [1.0, -4.0])
