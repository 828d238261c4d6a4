"""The promise of the threshold: known images are called unknown as often as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from inkling.errors import InputError
from inkling.heads.conformal import require_images
from inkling.unknown import Conformal, images_needed

scores = st.lists(st.integers(-20, 20), min_size=1, max_size=40).map(lambda values: np.array(values, dtype=float))


@given(calibration=scores, asked=scores)
def test_p_is_the_share_at_least_as_far_from_the_known(calibration: np.ndarray, asked: np.ndarray) -> None:
    p = Conformal(calibration).p_values(asked)
    assert p == pytest.approx([(1 + sum(calibration >= one)) / (len(calibration) + 1) for one in asked])


@given(calibration=scores, asked=scores)
def test_an_image_less_like_the_known_never_has_the_higher_p(calibration: np.ndarray, asked: np.ndarray) -> None:
    p = Conformal(calibration).p_values(np.sort(asked))
    assert (np.diff(p) <= 0).all()
    assert ((p > 0) & (p <= 1)).all()


@given(calibration=scores, asked=scores, alpha=st.floats(0.001, 0.999))
def test_threshold_and_p_values_agree(calibration: np.ndarray, asked: np.ndarray, alpha: float) -> None:
    conformal = Conformal(calibration)
    if len(calibration) < images_needed(alpha):
        with pytest.raises(InputError):
            conformal.threshold(alpha)
        return
    assert (conformal.are_unknown(asked, alpha) == (conformal.p_values(asked) <= alpha + 1e-9)).all()


@given(calibration=scores, order=st.randoms())
def test_the_order_of_the_images_does_not_matter(calibration: np.ndarray, order: object) -> None:
    shuffled = calibration.tolist()
    order.shuffle(shuffled)
    assert (Conformal(np.array(shuffled)).p_values(calibration) == Conformal(calibration).p_values(calibration)).all()


@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_realised_rates_follow_the_told_distribution(alpha: float) -> None:
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(2000):
        conformal = Conformal(rng.normal(size=99))
        rates.append(conformal.are_unknown(rng.normal(size=500), alpha).mean())
    told = Conformal(np.arange(99.0)).rate_range(alpha, n_images=500)
    inside = np.mean([told.low <= rate <= told.high for rate in rates])
    assert np.mean(rates) == pytest.approx(told.mean, abs=0.003)
    assert told.mean == pytest.approx(alpha)
    assert inside >= 0.9 - 0.02
    assert np.mean([told.low < rate < told.high for rate in rates]) <= 0.9 + 0.02


def test_the_range_on_endlessly_many_images_is_beta() -> None:
    told = Conformal(np.arange(234.0)).rate_range(0.05)
    assert (told.low, told.high) == pytest.approx(beta.ppf([0.05, 0.95], 11, 224))
    finite = Conformal(np.arange(234.0)).rate_range(0.05, n_images=503)
    assert finite.low < told.low
    assert finite.high > told.high
    endless = Conformal(np.arange(234.0)).rate_range(0.05, n_images=10_000_000)
    assert (endless.low, endless.high) == pytest.approx((told.low, told.high), abs=1e-5)


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.5, 1), (0.3, 3)])
def test_a_rate_needs_images(alpha: float, needed: int) -> None:
    assert images_needed(alpha) == needed
    require_images(needed, alpha)
    assert Conformal(np.arange(needed)).threshold(alpha) == needed - 1
    with pytest.raises(InputError, match=f"at least {needed} known images"):
        require_images(needed - 1, alpha)


def test_the_refusal_names_a_rate_that_would_do() -> None:
    with pytest.raises(InputError, match=r"ask for a rate of 0\.091 or more"):
        require_images(10, 0.05)
    require_images(10, 0.091)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 5.0, float("nan")])
def test_a_rate_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Conformal(np.arange(100)).threshold(alpha)


def test_calibration_scores_are_numbers() -> None:
    with pytest.raises(InputError, match="finite"):
        Conformal(np.array([0.0, np.nan]))


def test_ties_count_against_the_verdict() -> None:
    conformal = Conformal(np.zeros(99))
    assert conformal.p_values(np.array([0.0, 0.1])).tolist() == [1.0, 0.01]
    assert conformal.are_unknown(np.array([0.0, 0.1]), 0.05).tolist() == [False, True]
