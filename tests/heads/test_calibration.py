"""Temperature and the measures of calibration, against independent computations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import brier_score_loss, log_loss

from inkling.heads.calibration import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from inkling.types import FloatArray, IntArray


def drawn(seed: int, *, n: int = 4000, n_classes: int = 5, temperature: float = 1.0) -> tuple[FloatArray, IntArray]:
    """Logits z, and labels drawn from softmax(z / T)."""
    rng = np.random.default_rng(seed)
    z = 2.0 * temperature * rng.normal(size=(n, n_classes))
    p = softmax(z / temperature, axis=1)
    return z, (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 3.0, 100.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    z, y = drawn(0, temperature=temperature)
    assert fit_temperature(z, y) == pytest.approx(temperature, rel=0.06)


def test_no_other_temperature_has_a_lower_loss_with_one_image_more_that_is_anybody_s_guess() -> None:
    z, y = drawn(1, n=100)

    def loss(temperature: float) -> float:
        log_p = log_softmax(z / temperature, axis=1)
        return float(-log_p[np.arange(100), y].sum() - log_p.mean())

    best = minimize_scalar(loss, bracket=(0.5, 2.0))
    assert fit_temperature(z, y) == pytest.approx(best.x, rel=1e-3)


def test_a_temperature_changes_no_label() -> None:
    z, _ = drawn(2)
    p = apply_temperature(z, 7.0)
    assert (p.argmax(axis=1) == z.argmax(axis=1)).all()
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert p == pytest.approx(softmax(z / 7.0, axis=1))


@pytest.mark.parametrize("n", [6, 40, 1000])
def test_images_that_are_all_right_are_not_certainty(n: int) -> None:
    """By the rule of succession: n images of n + 1 are right, and one is anybody's guess."""
    y = np.arange(n) % 4
    p = apply_temperature(np.eye(4)[y], fit_temperature(np.eye(4)[y], y))[np.arange(n), y]
    assert p == pytest.approx((n + 1 / 4) / (n + 1), abs=1e-3)


def test_logits_that_say_nothing_end_in_even_odds() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 4))
    assert apply_temperature(z, fit_temperature(z, rng.integers(4, size=2000))).max() < 0.4


def test_nll_is_scikit_learn_s_log_loss() -> None:
    z, y = drawn(3)
    p = softmax(z, axis=1)
    assert negative_log_likelihood(p, y) == pytest.approx(log_loss(y, p))


def test_nll_of_a_certain_mistake_is_finite() -> None:
    assert 20 < negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) < 40


def test_brier_score_is_scikit_learn_s() -> None:
    z, y = drawn(4)
    p = softmax(z, axis=1)
    assert brier_score(p, y) == pytest.approx(brier_score_loss(y, p, scale_by_half=False))


def test_brier_score_of_the_best_and_the_worst() -> None:
    sure = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert brier_score(sure, np.array([0, 0])) == 0.0
    assert brier_score(sure, np.array([1, 1])) == 2.0


def independent_ece(p: FloatArray, y: IntArray, bins: int) -> float:
    """Image by image: its rank by confidence decides the bin."""
    order = sorted(range(len(y)), key=lambda i: p[i].max())
    edges = np.cumsum([0] + [len(y) // bins + (b < len(y) % bins) for b in range(bins)])
    total = 0.0
    for start, end in itertools.pairwise(edges):
        total += abs(sum(p[i].max() - (p[i].argmax() == y[i]) for i in order[start:end]))
    return total / len(y)


@pytest.mark.parametrize(("n", "bins"), [(4000, 15), (100, 7), (15, 15), (2000, 1)])
def test_ece_is_that_of_an_independent_count(n: int, bins: int) -> None:
    z, y = drawn(5, n=n)
    p = softmax(1.7 * z, axis=1)
    assert expected_calibration_error(p, y, bins=bins) == pytest.approx(independent_ece(p, y, bins))


def test_ece_is_small_for_true_probabilities_and_large_for_boasts() -> None:
    z, y = drawn(6, n=20_000)
    assert expected_calibration_error(softmax(z, axis=1), y) < 0.015
    assert expected_calibration_error(softmax(5 * z, axis=1), y) > 0.15


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 99))
def test_reliability_bins_have_equal_mass_and_hold_every_image(n: int, bins: int, seed: int) -> None:
    z, y = drawn(seed, n=n)
    p = softmax(z, axis=1)
    parts = reliability(p, y, bins=bins)
    counts = [part.count for part in parts]
    assert sum(counts) == n
    assert len(parts) == min(bins, n)
    assert max(counts) - min(counts) <= 1
    assert all(one.confidence <= other.confidence for one, other in itertools.pairwise(parts))
    assert sum(part.accuracy * part.count for part in parts) == pytest.approx((p.argmax(axis=1) == y).sum())
