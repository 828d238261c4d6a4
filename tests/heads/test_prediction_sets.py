"""The promise of prediction sets: they hold the right class as often as was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.heads.conformal import Conformal
from inkling.heads.prediction_sets import SCORES, Coverage, Places, SetCalibration, prediction_sets, scores_of
from inkling.heads.softmax import softmax
from inkling.types import FloatArray, IntArray

K = 6
NAMES = tuple("abcdef")


def drawn(rng: np.random.Generator, n: int, *, sure: float = 3.0) -> tuple[FloatArray, IntArray]:
    """Probabilities that are right, and columns drawn by them."""
    p = softmax(sure * rng.normal(size=(n, K)))
    return p, (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, K - 1)


def calibration(p: FloatArray, y: IntArray, *, score: str | None = None) -> SetCalibration:
    found = SetCalibration.of(p, y, NAMES, sources=np.arange(len(y)))
    return found if score is None else replace(found, score=score)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("asked", [Coverage(0.9), Coverage(0.8, by_class=True), Coverage(0.9, randomized=True)])
def test_the_right_class_is_in_the_set_as_often_as_asked(score: str, asked: Coverage) -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        held = calibration(*drawn(rng, 150), score=score)
        p, y = drawn(rng, 300)
        shares.append(prediction_sets(p, NAMES, held, asked)[np.arange(300), y].mean())
    assert np.mean(shares) > asked.rate - 0.01
    if asked.randomized or score == "least":
        assert np.mean(shares) < asked.rate + (0.03 if asked.by_class else 0.015)


def test_the_promise_for_each_class_holds_where_classes_differ() -> None:
    """Class a is often taken for b: over all images it has the right class in its set too seldom."""
    rng = np.random.default_rng(1)

    def task(n: int) -> tuple[FloatArray, IntArray]:
        y = rng.integers(K, size=n)
        z = rng.normal(size=(n, K)) + 4.0 * np.eye(K)[y]
        z[y == 0, 1] += 4.0
        return softmax(z), y

    held = calibration(*task(1200))
    p, y = task(6000)
    shares = {
        by_class: prediction_sets(p, NAMES, held, Coverage(0.9, by_class=by_class))[np.arange(6000), y][y == 0].mean()
        for by_class in (False, True)
    }
    assert shares[False] < 0.85
    assert 0.87 < shares[True] < 0.95


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.75, 0.9]))
def test_a_set_is_what_has_a_p_value_above_alpha(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    held = calibration(*drawn(rng, 40), score="least")
    p, _ = drawn(rng, 8)
    own = scores_of("least", held.places, usual=1)
    expected = np.stack([Conformal(own).p_values(column) > 1 - rate + 1e-9 for column in np.round(1 - p, 6).T], axis=1)
    assert (prediction_sets(p, NAMES, held, Coverage(rate)) == expected).all()


@given(st.integers(0, 10_000), st.sampled_from(SCORES))
def test_a_higher_coverage_takes_no_class_out(seed: int, score: str) -> None:
    rng = np.random.default_rng(seed)
    held = calibration(*drawn(rng, 60), score="least" if score == "regularised" else score)
    p, _ = drawn(rng, 8)
    low, high = (prediction_sets(p, NAMES, held, Coverage(rate)) for rate in (0.7, 0.9))
    assert (high >= low).all()


def test_places_add_up() -> None:
    p, _ = drawn(np.random.default_rng(2), 50)
    places = Places.of(p)
    order = np.sort(p, axis=1)[:, ::-1]
    for row in range(50):
        for k in range(K):
            rank = places.rank[row, k]
            assert order[row, rank] == p[row, k]
            assert places.above[row, k] == pytest.approx(order[row, :rank].sum())


def test_what_a_memory_keeps_gives_the_same_sets() -> None:
    rng = np.random.default_rng(3)
    held = calibration(*drawn(rng, 90))
    again = SetCalibration.from_json(held.to_json())
    p, _ = drawn(rng, 200)
    assert again.labels == held.labels
    asked = Coverage(0.9, by_class=True)
    assert (prediction_sets(p, NAMES, again, asked) == prediction_sets(p, NAMES, held, asked)).all()


def test_the_head_of_all_images_misses_less_than_those_of_folds() -> None:
    p, y = drawn(np.random.default_rng(7), 200)
    held = calibration(p, y)
    assert held.carried(0.1) == 0.1
    assert replace(held, folds=4).carried(0.1) == pytest.approx(0.1137, abs=1e-4)
    fewer, more = (replace(held, folds=folds) for folds in (2, 5))
    asked = Coverage(0.9)
    q, _ = drawn(np.random.default_rng(8), 300)
    sizes = [prediction_sets(q, NAMES, one, asked).sum() for one in (held, more, fewer)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_copies_count_once() -> None:
    p, y = drawn(np.random.default_rng(4), 30)
    twice = SetCalibration.of(np.repeat(p, 2, axis=0), np.repeat(y, 2), NAMES, sources=np.repeat(np.arange(30), 2))
    assert len(twice) == 30


@pytest.mark.parametrize(("rate", "n", "message"), [(0.9, 8, "at least 9 .* there are 8"), (0.95, 0, "there are 0")])
def test_too_few_are_refused(rate: float, n: int, message: str) -> None:
    held = calibration(*drawn(np.random.default_rng(5), n))
    with pytest.raises(InputError, match=message):
        prediction_sets(np.full((1, K), 1 / K), NAMES, held, Coverage(rate))


@pytest.mark.parametrize("rate", [0.0, 1.0, 90.0, -0.1])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Coverage(rate)


def test_the_score_with_smaller_sets_is_chosen_out_of_fold() -> None:
    """Probabilities that are sure of classes that look alike by chance: ranks tell more than they do."""
    rng = np.random.default_rng(6)
    p, y = drawn(rng, 400)
    assert calibration(p, y).score == "least"
    # The right class is always among two, but which probability it has says nothing.
    z = rng.normal(size=(400, K)) * rng.uniform(0.01, 8.0, size=(400, 1))
    odd = softmax(z)
    right = np.take_along_axis(np.argsort(-odd, axis=1), rng.integers(2, size=(400, 1)), axis=1)[:, 0]
    assert calibration(odd, right).score != "least"
