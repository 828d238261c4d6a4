"""Unlabelled images count where they are shown to help, and a head that learned from them can be fitted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling.heads import AutoHead, head_from_state
from inkling.heads.closed_form import is_closed_form
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.heads.unlabelled import fit_with_unlabelled
from inkling.types import FloatArray, IntArray

CLASSES, D = 12, 48


def _task(per_class: int, *, seed: int) -> tuple[FloatArray, IntArray]:
    """Classes that overlap, and have much in common that other things have not."""
    centres = 3.0 + np.random.default_rng(0).standard_normal((CLASSES, D))
    y = np.repeat(np.arange(CLASSES), per_class)
    return (centres[y] + 1.8 * np.random.default_rng(seed).standard_normal((len(y), D))).astype(np.float32), y


POOL, POOL_Y = _task(30, seed=2)
TEST, TEST_Y = _task(20, seed=3)


@pytest.mark.parametrize("shots", [1, 2, 4])
def test_a_pool_that_helps_takes_part(shots: int) -> None:
    X, y = _task(shots, seed=1)
    plain = AutoHead().fit(X, y)
    head = fit_with_unlabelled(AutoHead(), X, y, POOL)
    assert head.unlabelled_learned_from is not None
    assert "take part" in head.finding_
    assert head.score(TEST, TEST_Y) > plain.score(TEST, TEST_Y) + 0.03


@pytest.mark.parametrize("shots", [1, 2, 4])
def test_a_pool_of_few_classes_leaves_the_head_as_it_is(shots: int) -> None:
    X, y = _task(shots, seed=1)
    head = fit_with_unlabelled(AutoHead(), X, y, POOL[POOL_Y < 2])
    assert head.unlabelled_learned_from is None
    assert head.kept_unlabelled[0] is not None
    assert "none" in head.finding_
    assert_array_equal(head.logits(TEST), AutoHead().fit(X, y).logits(TEST))


def test_of_few_classes_a_pool_needs_evidence() -> None:
    X, y = _task(1, seed=1)
    unlabelled = POOL[POOL_Y < 5]
    head = fit_with_unlabelled(AutoHead(), X[y < 5], y[y < 5], unlabelled)
    assert head.unlabelled_learned_from is None
    assert "with fewer than 10 classes" in head.finding_


@pytest.mark.parametrize(("shots", "basis"), [(1, "unlabelled"), (2, "unlabelled"), (4, "out of fold")])
def test_what_the_scale_rests_on(shots: int, basis: str) -> None:
    X, y = _task(shots, seed=1)
    fitted = FittedHead.fit("auto", replace(LabelledVectors.of(X, y), unlabelled=POOL), seed=0)
    assert fitted.calibration["basis"] == basis


def test_what_is_foreign_is_left_out() -> None:
    X, y = _task(2, seed=1)
    foreign = np.random.default_rng(4).standard_normal((50, D)).astype(np.float32)
    head = fit_with_unlabelled(AutoHead(), X, y, foreign)
    assert "none of the 50 unlabelled images looks like one of the classes" in head.finding_


def test_a_head_from_its_state_and_one_fitted_again_answer_alike() -> None:
    X, y = _task(4, seed=1)
    head = fit_with_unlabelled(AutoHead(), X, y, POOL)
    assert not is_closed_form(head)
    kept = head_from_state(head.state())
    assert isinstance(kept, AutoHead)
    assert_array_equal(kept.logits(TEST), head.logits(TEST))
    assert_array_equal(AutoHead().refit(X, y, kept).logits(TEST), head.logits(TEST))


@pytest.mark.parametrize("shots", [1, 4])
def test_a_class_more_learns_from_the_pool_too(shots: int) -> None:
    X, y = _task(shots, seed=1)
    old = y < CLASSES - 1
    vectors = LabelledVectors.of(X, y)
    before = FittedHead.fit("auto", replace(LabelledVectors.of(X[old], y[old]), unlabelled=POOL), seed=0)
    assert before.unlabelled is not None
    again = FittedHead.fit("auto", vectors, seed=0, previous=before)
    assert_array_equal(again.unlabelled, POOL)
    assert isinstance(again.head, AutoHead)
    assert isinstance(before.head, AutoHead)
    assert (again.head.unlabelled_learned_from is None) == (before.head.unlabelled_learned_from is None)
    plain = FittedHead.fit("auto", vectors, seed=0)
    right = [(one.logits(TEST).argmax(axis=1) == TEST_Y).mean() for one in (again, plain)]
    assert right[0] > right[1]
