"""Intervals by their coverage and against scipy; McNemar's test against the exact table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from inkling.evaluate import uncertainty
from inkling.evaluate.uncertainty import (
    bootstrap_balanced_accuracy,
    bootstrap_means,
    exact_interval,
    mcnemar,
    paired_difference,
)


def discordant(b: int, c: int, *, both: int = 7) -> tuple[np.ndarray, np.ndarray]:
    first = np.array([True] * b + [False] * c + [True] * both, dtype=bool)
    second = np.array([False] * b + [True] * c + [True] * both, dtype=bool)
    return first, second


def test_the_bootstrap_covers_the_true_share_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        values = (rng.random(200) < 0.8).astype(float)[:, None]
        interval = bootstrap_means(values, seed=trial, n_resamples=400)[0]
        hits += interval.low <= 0.8 <= interval.high
    assert 0.91 <= hits / 300 <= 0.98


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(2).normal(size=(2000, 1))
    interval = bootstrap_means(values, seed=0)[0]
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.004)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.004)


def test_columns_share_their_resamples() -> None:
    """A difference of nearly equal columns has a far narrower interval than either column."""
    rng = np.random.default_rng(3)
    first = (rng.random(300) < 0.7).astype(float)
    second = first.copy()
    second[:3] = 1 - second[:3]
    one, difference = bootstrap_means(np.column_stack([first, first - second]), seed=0)
    assert difference.high - difference.low < 0.3 * (one.high - one.low)


def test_the_same_seed_gives_the_same_interval_in_any_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random((50, 2))
    whole = bootstrap_means(values, seed=5)
    assert whole == bootstrap_means(values, seed=5)
    assert whole != bootstrap_means(values, seed=6)
    monkeypatch.setattr(uncertainty, "_CELLS_AT_ONCE", 170)
    for chunked, once in zip(bootstrap_means(values, seed=5), whole, strict=True):
        assert (chunked.low, chunked.high) == pytest.approx((once.low, once.high))


def test_the_balanced_bootstrap_equals_resampling_by_hand() -> None:
    rng = np.random.default_rng(6)
    y = np.array([0] * 12 + [2] * 5 + [4] * 40)
    correct = rng.random(57) < 0.7
    drawn = np.random.default_rng(9).integers(57, size=(500, 57))
    by_hand = [np.mean([correct[row][y[row] == k].mean() for k in np.unique(y[row])]) for row in drawn]
    interval = bootstrap_balanced_accuracy(correct, y, seed=9, n_resamples=500)
    assert [interval.low, interval.high] == pytest.approx(np.percentile(by_hand, [2.5, 97.5]))


@given(st.integers(1, 400), st.data())
def test_the_exact_interval_agrees_with_scipy(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    expected = stats.binomtest(successes, n).proportion_ci(0.95, method="exact")
    found = exact_interval(successes, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 24), st.integers(0, 24))
def test_few_discordant_pairs_give_the_exact_binomial_p(b: int, c: int) -> None:
    assume(0 < b + c < 25)
    test = mcnemar(*discordant(b, c))
    assert (test.only_first, test.only_second) == (b, c)
    assert test.p_value == pytest.approx(stats.binomtest(b, b + c).pvalue)


@given(st.integers(0, 300), st.integers(25, 300))
def test_many_discordant_pairs_give_the_corrected_chi_squared_p(b: int, c: int) -> None:
    expected = stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), df=1)
    assert mcnemar(*discordant(b, c)).p_value == pytest.approx(expected)


def test_the_two_forms_meet_near_the_border() -> None:
    assert mcnemar(*discordant(18, 8)).p_value == pytest.approx(stats.binomtest(18, 26).pvalue, abs=0.02)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_images_that_both_get_right_and_the_order_of_the_two_do_not_matter(b: int, c: int, both: int) -> None:
    first, second = discordant(b, c)
    p = mcnemar(first, second).p_value
    assert p == mcnemar(second, first).p_value == mcnemar(*discordant(b, c, both=both)).p_value
    assert 0.0 <= p <= 1.0


def test_no_discordant_pair_is_no_evidence() -> None:
    assert mcnemar(*discordant(0, 0)).p_value == 1.0


@pytest.mark.parametrize(("both", "only_first", "only_second"), [(0.9, 0.06, 0.02), (0.6, 0.2, 0.1), (0.5, 0.25, 0.25)])
def test_the_interval_of_a_paired_difference_covers_it_as_often_as_it_says(
    both: float, only_first: float, only_second: float
) -> None:
    rng = np.random.default_rng(3)
    shares = (both, only_first, only_second, 1 - both - only_first - only_second)
    cells = rng.choice(4, size=(1000, 150), p=shares)
    intervals = [paired_difference(row % 4 < 2, (row == 0) | (row == 2)) for row in cells]
    covered = [one.low <= only_first - only_second <= one.high for one in intervals]
    assert 0.93 <= np.mean(covered) <= 0.995


def test_a_paired_difference_in_its_limits() -> None:
    same = np.array([True] * 60 + [False] * 40)
    interval = paired_difference(same, same)
    assert interval.low == -interval.high
    assert 0 < interval.high < 0.05
    every, none = np.ones(50, dtype=bool), np.zeros(50, dtype=bool)
    assert paired_difference(every, none).high == pytest.approx(1)
    one, other = discordant(9, 3)
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
