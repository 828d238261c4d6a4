"""The promise of the threshold: known images are called unknown as often as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from inkling.errors import InputError
from inkling.heads.conformal import Slack, require_images, variance_between
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
    with pytest.raises(InputError, match=f"at least {needed} known image{'s' * (needed > 1)} to"):
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


def test_slack_widens_the_range_and_moves_nothing_else() -> None:
    scores = np.random.default_rng(0).normal(size=400)
    exact = Conformal(scores)
    for slack in (Slack(between=0.002), Slack(easier=0.3), Slack(harder=0.3)):
        loose = Conformal(scores, slack)
        assert loose.threshold(0.05) == exact.threshold(0.05)
        narrow, wide = exact.rate_range(0.05), loose.rate_range(0.05)
        assert wide.low <= narrow.low
        assert wide.high >= narrow.high
        assert wide.high - wide.low > 1.1 * (narrow.high - narrow.low)
        assert wide.mean == narrow.mean
    assert Conformal(scores, Slack(easier=0.3)).rate_range(0.05).high == exact.rate_range(0.05).high
    assert Conformal(scores, Slack(harder=0.3)).rate_range(0.05).low == exact.rate_range(0.05).low


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_the_range_holds_for_mixtures_of_classes(spread: float) -> None:
    """Classes of which some are called unknown more often, and images to come in shares that nobody knew."""
    rng = np.random.default_rng(1)
    n_classes, inside, exact = 40, [], []
    for _ in range(300):
        centres = spread * rng.normal(size=n_classes)
        y = np.repeat(np.arange(n_classes), 10)
        scores = centres[y] + rng.normal(size=len(y))
        shares = rng.dirichlet(np.ones(n_classes))
        to_come = centres[rng.choice(n_classes, 20_000, p=shares)] + rng.normal(size=20_000)
        for found, slack in ((inside, Slack(between=variance_between(scores, y, 0.1))), (exact, Slack())):
            conformal = Conformal(scores, slack)
            told = conformal.rate_range(0.1)
            found.append(told.low <= conformal.are_unknown(to_come, 0.1).mean() <= told.high)
    assert np.mean(inside) > 0.85
    assert np.mean(exact) < 0.8 if spread else np.mean(exact) > 0.85


def test_one_class_or_one_image_of_each_tells_nothing_of_mixtures() -> None:
    scores = np.arange(10.0)
    assert variance_between(scores, np.zeros(10, dtype=int), 0.1) == 0.0
    assert variance_between(scores, np.arange(10), 0.1) == 0.0
