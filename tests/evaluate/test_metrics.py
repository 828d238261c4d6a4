"""Measures against scikit-learn and against counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from inkling.evaluate.metrics import (
    balanced_accuracy,
    class_measures,
    confusion_matrix,
    predicted_classes,
    top_k_accuracy,
    top_k_credit,
)

seeds = st.integers(0, 10_000)


def made_up(seed: int, *, n: int = 60, n_classes: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    p = rng.dirichlet(np.ones(n_classes), size=n) + 0.3 * np.eye(n_classes)[y]
    return p / p.sum(axis=1, keepdims=True), y


@given(seeds, st.integers(1, 7))
def test_top_k_agrees_with_scikit_learn_where_nothing_ties(seed: int, k: int) -> None:
    p, y = made_up(seed)
    expected = reference.top_k_accuracy_score(y, p, k=k, labels=range(7)) if k < 7 else 1.0
    assert top_k_accuracy(p, y, k) == pytest.approx(expected)


@pytest.mark.parametrize("row", [[0.25] * 4, [0.4, 0.2, 0.2, 0.2], [0.5, 0.5, 0.0, 0.0], [0.1, 0.4, 0.4, 0.1]])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_ties_count_as_the_mean_over_all_orders(row: list[float], k: int) -> None:
    p = np.array([row] * 4)
    orders = [
        sorted(range(4), key=lambda c, order=order: (-row[c], order.index(c)))
        for order in itertools.permutations(range(4))
    ]
    expected = [np.mean([truth in order[:k] for order in orders]) for truth in range(4)]
    np.testing.assert_allclose(top_k_credit(p, np.arange(4), k), expected)


def test_a_classifier_that_knows_nothing_is_at_chance_on_any_class() -> None:
    p = np.full((30, 10), 0.1)
    assert top_k_accuracy(p, np.zeros(30, dtype=int), 1) == pytest.approx(0.1)
    assert top_k_accuracy(p, np.full(30, 9), 5) == pytest.approx(0.5)


@given(seeds)
def test_confusion_and_class_measures_agree_with_scikit_learn(seed: int) -> None:
    p, y = made_up(seed)
    predicted = predicted_classes(p)
    confusion = confusion_matrix(y, predicted, 7)
    np.testing.assert_array_equal(confusion, reference.confusion_matrix(y, predicted, labels=range(7)))
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        y, predicted, labels=range(7), zero_division=np.nan
    )
    found = class_measures(confusion)
    np.testing.assert_array_equal(found.support, support)
    np.testing.assert_array_equal(found.predicted, np.bincount(predicted, minlength=7))
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1[support > 0], f1[support > 0])
    assert balanced_accuracy(confusion) == pytest.approx(reference.balanced_accuracy_score(y, predicted))


@given(seeds)
def test_permuting_classes_permutes_the_measures(seed: int) -> None:
    p, y = made_up(seed)
    order = np.random.default_rng(seed).permutation(7)
    moved_y = np.argsort(order)[y]
    confusion = confusion_matrix(y, predicted_classes(p), 7)
    moved = confusion_matrix(moved_y, predicted_classes(p[:, order]), 7)
    np.testing.assert_array_equal(moved, confusion[np.ix_(order, order)])
    np.testing.assert_allclose(class_measures(moved).f1, class_measures(confusion).f1[order])
    assert balanced_accuracy(moved) == pytest.approx(balanced_accuracy(confusion))
    for k in (1, 3):
        np.testing.assert_allclose(top_k_credit(p[:, order], moved_y, k), top_k_credit(p, y, k))


def test_classes_without_images_have_no_recall_and_do_not_lower_balanced_accuracy() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]), 4)
    found = class_measures(confusion)
    assert np.isnan(found.recall[2:]).all()
    assert np.isnan(found.f1[2:]).all()
    assert found.precision[2] == 0.0
    assert np.isnan(found.precision[3])
    assert balanced_accuracy(confusion) == pytest.approx(0.75)


def test_a_class_that_is_never_named_has_zero_f1_but_no_precision() -> None:
    found = class_measures(confusion_matrix(np.array([0, 1]), np.array([0, 0]), 2))
    assert np.isnan(found.precision[1])
    assert found.recall[1] == 0.0
    assert found.f1[1] == 0.0


def test_balanced_accuracy_of_nothing_has_no_value() -> None:
    assert np.isnan(balanced_accuracy(np.zeros((3, 3), dtype=int)))
