"""Which images are held out, and that nothing of them is seen in fitting."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.heads import GDAHead, PrototypeHead, ZeroShotHead
from inkling.heads.base import Head
from inkling.heads.out_of_fold import MIN_EVIDENCE, evidence_folds, out_of_fold, shots_of
from tests.heads.samples import draw_task


def test_views_of_one_image_are_one_shot() -> None:
    y, sources = np.array([0, 0, 0, 1, 1]), np.array([7, 7, 9, 3, 3])
    assert shots_of(y, sources, 3).tolist() == [2, 1, 0]


def test_a_source_of_several_classes_is_a_shot_of_each() -> None:
    assert shots_of(np.array([0, 1, 1, 2, 2]), np.array([5, 5, 5, 5, 8]), 3).tolist() == [1, 1, 2]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 14)), min_size=4, max_size=60),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.integers(0, 99),
)
def test_no_fold_splits_a_source_or_takes_all_that_tells_of_a_class(
    labels_and_sources: list[tuple[int, int]], named: list[bool], seed: int
) -> None:
    y, sources = np.array(labels_and_sources).T
    fold = evidence_folds(y, sources, np.array(named), seed=seed)
    for held in np.unique(fold[fold >= 0]):
        left = fold != held
        assert not set(sources[left]) & set(sources[~left])
        assert all(k in y[left] or named[k] for k in np.unique(y))


def test_one_image_a_class_leaves_nothing_to_hold_out() -> None:
    y = np.arange(6)
    assert (evidence_folds(y, y, np.ones(6, dtype=bool), seed=0) == -1).all()


def test_a_class_with_one_image_is_held_out_only_if_its_text_tells_of_it() -> None:
    y = np.array([0, 0, 0, 1, 1, 1, 2, 3])
    fold = evidence_folds(y, np.arange(8), np.array([False, False, True, False]), seed=0)
    assert fold[6] >= 0
    assert fold[7] == -1


@pytest.mark.parametrize(("n_classes", "shots"), [(1000, 3), (700, 4), (40, 1000)])
def test_of_many_images_a_sample_serves_and_every_class_keeps_some(n_classes: int, shots: int) -> None:
    y = np.repeat(np.arange(n_classes), shots)
    fold = evidence_folds(y, np.arange(len(y)), np.zeros(n_classes, dtype=bool), seed=0)
    assert (fold >= 0).sum() == max(MIN_EVIDENCE, 1_000_000 // n_classes)
    for held in np.unique(fold[fold >= 0]):
        assert len(np.unique(y[fold != held])) == n_classes


def test_a_sample_of_many_images_takes_all_views_of_a_source() -> None:
    sources = np.repeat(np.arange(3000), 2)
    fold = evidence_folds(sources % 600, sources, np.zeros(600, dtype=bool), seed=0)
    assert 0 < (fold >= 0).sum() < len(fold)
    assert (fold[::2] == fold[1::2]).all()


def test_logits_are_those_of_a_head_without_the_image() -> None:
    task = draw_task()
    head = PrototypeHead(classes=np.arange(4))
    found = out_of_fold(head, task.X, task.y, np.arange(len(task.y)), seed=0)
    fold = evidence_folds(task.y, np.arange(len(task.y)), np.zeros(4, dtype=bool), seed=0)
    assert found.rows.tolist() == list(range(len(task.y)))
    for row in found.rows:
        seen = fold != fold[row]
        expected = PrototypeHead().fit(task.X[seen], task.y[seen]).logits(task.X[[row]])
        assert found.logits[row] == pytest.approx(expected[0])


def test_zero_shot_is_the_same_in_and_out_of_fold() -> None:
    task = draw_task()
    head = ZeroShotHead(task.text, classes=np.arange(4))
    found = out_of_fold(head, task.X, task.y, np.arange(len(task.y)), seed=0)
    assert found.logits == pytest.approx(head.fit(task.X, task.y).logits(task.X))


N, N_CLASSES = 60_000, 1_000
"""Scores of so many images would take 480 MB, and more in copies."""


@pytest.mark.parametrize("head", [PrototypeHead(), GDAHead()])
def test_memory_is_taken_for_the_evidence_alone(head: Head) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(N) % N_CLASSES
    head.set_params(classes=np.arange(N_CLASSES))
    with peak_below(250e6):
        found = out_of_fold(head, rng.standard_normal((N, 4)), y, np.arange(N), seed=0)
    assert len(found.rows) == MIN_EVIDENCE


@contextmanager
def peak_below(most: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
