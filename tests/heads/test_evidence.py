"""Folds, blends and the test of a gain, each against an independent computation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import ttest_rel
from sklearn.metrics import log_loss as reference_log_loss

from inkling.heads.evidence import Evidence, blend_weights, cross_fitted, gain_p_value, grouped_folds, log_loss
from inkling.types import FloatArray, IntArray


def some_scores(seed: int, *, experts: int = 3, n: int = 60, n_classes: int = 4) -> tuple[FloatArray, IntArray]:
    """Logits (experts, n, n_classes) that know the truth more or less, and the truth."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    skill = rng.uniform(0.2, 2.0, size=(experts, 1, 1))
    return skill * np.eye(n_classes)[y] + rng.normal(size=(experts, n, n_classes)), y


def loss_with_one_more(z: FloatArray, y: IntArray) -> float:
    """Log-loss with one image more, as sure as the others on average, whose label is anybody's guess."""
    guess = -log_softmax(z, axis=1).mean()
    return float((log_loss(z, y).sum() + guess) / (len(y) + 1))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=60), st.integers(2, 5))
def test_a_group_is_never_split(labels_and_groups: list[tuple[int, int]], n_folds: int) -> None:
    y, groups = np.array(labels_and_groups).T
    fold = grouped_folds(y, groups, n_folds=n_folds, seed=0)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(2, 5), st.integers(1, 3), st.integers(0, 99))
def test_each_class_is_spread_evenly_over_folds(sources: list[int], n_folds: int, views: int, seed: int) -> None:
    y_of_source = np.repeat(np.arange(len(sources)), sources)
    groups = np.repeat(np.arange(len(y_of_source)), views)
    fold = grouped_folds(y_of_source[groups], groups, n_folds=n_folds, seed=seed)
    for k in range(len(sources)):
        held_out = np.bincount(fold[y_of_source[groups] == k], minlength=n_folds) // views
        assert held_out.max() - held_out.min() <= 1
    assert set(fold) == set(range(min(n_folds, len(y_of_source))))


def test_folds_follow_the_seed() -> None:
    y, groups = np.repeat(np.arange(4), 10), np.arange(40)
    drawn = [grouped_folds(y, groups, n_folds=5, seed=seed) for seed in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()


def test_log_loss_is_that_of_the_softmax() -> None:
    Z, y = some_scores(0)
    expected = reference_log_loss(y, softmax(Z[0], axis=1), labels=range(4))
    assert log_loss(Z[0], y).mean() == pytest.approx(expected)


def test_log_loss_of_huge_logits_stays_finite() -> None:
    z = np.array([[1e4, 0.0], [0.0, 1e4]])
    assert log_loss(z, np.array([0, 0])) == pytest.approx([0.0, 1e4])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_blend_weights_are_those_of_a_general_optimiser(seed: int) -> None:
    Z, y = some_scores(seed)

    def loss(w: FloatArray) -> float:
        return loss_with_one_more(np.tensordot(w, Z, axes=1), y)

    found = blend_weights(Z, y)
    general = minimize(loss, np.ones(3), bounds=[(0, None)] * 3, method="SLSQP", options={"ftol": 1e-12})
    assert (found >= 0).all()
    assert loss(found) == pytest.approx(loss(np.maximum(general.x, 0)), abs=1e-4)


def test_no_weights_on_a_grid_are_better() -> None:
    Z, y = some_scores(7, experts=2)
    grid = np.arange(0, 4, 0.05)
    losses = [loss_with_one_more(a * Z[0] + b * Z[1], y) for a, b in itertools.product(grid, grid)]
    assert loss_with_one_more(np.tensordot(blend_weights(Z, y), Z, axes=1), y) <= min(losses) + 1e-5


def test_an_expert_that_misleads_has_no_weight() -> None:
    Z, y = some_scores(3, experts=2)
    assert blend_weights(np.stack([Z[0], -Z[1]]), y)[1] == 0.0


def test_an_expert_that_says_nothing_does_no_harm() -> None:
    Z, y = some_scores(3, experts=1)
    silent = np.concatenate([Z, np.zeros_like(Z)])
    assert np.isfinite(blend_weights(silent, y)).all()
    assert blend_weights(silent, y)[0] == pytest.approx(blend_weights(Z, y)[0], rel=1e-3)


def test_where_all_mislead_their_order_is_kept_at_even_odds() -> None:
    Z, y = some_scores(3, experts=1)
    weights = blend_weights(-Z, y)
    assert weights[0] > 0
    assert softmax(-weights[0] * Z[0], axis=1) == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("n", [6, 40, 1000])
def test_images_that_are_all_right_are_not_certainty(n: int) -> None:
    """By the rule of succession: n images of n + 1 are right, and one is anybody's guess."""
    y = np.arange(n) % 4
    Z = np.stack([np.eye(4)[y], 3 * np.eye(4)[y]])
    p = softmax(np.tensordot(blend_weights(Z, y), Z, axes=1), axis=1)[np.arange(n), y]
    assert p == pytest.approx((n + 1 / 4) / (n + 1), abs=3e-3)


def test_the_scale_of_an_expert_does_not_matter() -> None:
    Z, y = some_scores(5)
    scale = np.array([1e-6, 1.0, 1e6])
    assert blend_weights(Z * scale[:, None, None], y) * scale == pytest.approx(blend_weights(Z, y), rel=1e-6)


def test_cross_fitted_logits_never_come_from_weights_that_saw_the_image() -> None:
    Z, y = some_scores(1, experts=2)
    fold = np.arange(len(y)) % 3
    seen: list[IntArray] = []

    def weigh(part: FloatArray, labels: IntArray) -> FloatArray:
        seen.append(labels)
        return np.array([len(seen), 0.0])

    rows = np.arange(len(y))
    blended = cross_fitted(np.stack([Z[0], Z[1]]), rows, fold, weigh)
    for number, labels in enumerate(seen):
        held_out = fold == number
        assert set(labels) == set(rows[~held_out])
        assert np.allclose(blended[held_out], (number + 1) * Z[0][held_out])


@pytest.mark.parametrize("seed", range(5))
def test_p_value_of_a_gain_is_that_of_the_paired_t_test(seed: int) -> None:
    Z, y = some_scores(seed, experts=2)
    one, other = (Evidence.of("one", Z[0], y), Evidence.of("other", Z[1], y))
    expected = ttest_rel(other.losses, one.losses, alternative="greater").pvalue
    assert gain_p_value(one, other) == pytest.approx(expected)
    assert gain_p_value(one, other) + gain_p_value(other, one) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_images_of_one_source_count_as_one(seed: int) -> None:
    Z, y = some_scores(seed, experts=2)
    sources = np.random.default_rng(seed).integers(0, len(y) // 3, size=len(y))
    one, other = (Evidence.of(name, z, y, sources=sources) for name, z in (("one", Z[0]), ("other", Z[1])))
    means = [[each.losses[sources == source].mean() for source in np.unique(sources)] for each in (other, one)]
    assert gain_p_value(one, other) == pytest.approx(ttest_rel(*means, alternative="greater").pvalue)


def test_few_sources_prove_little() -> None:
    y = np.arange(40) % 2
    right = 5.0 * np.eye(2)[y]
    less = right * np.random.default_rng(0).uniform(0.85, 0.95, size=(40, 1))
    for n in (1, 2, 6, 7):
        one, other = (Evidence.of("any", z, y, sources=np.arange(40) // 2 % n) for z in (right, less))
        assert gain_p_value(one, other) == (1.0 if n == 1 else 0.5**n)
        assert gain_p_value(other, one) > 0.5


def test_no_difference_is_no_gain() -> None:
    Z, y = some_scores(0)
    same = Evidence.of("same", Z[0], y)
    assert gain_p_value(same, same) == 1.0
