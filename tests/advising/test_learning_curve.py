"""The curve against tasks whose outcome is known, and in its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkling.advising.errors_of_head import errors_of_head
from inkling.advising.learning_curve import PRIOR, learning_curve
from inkling.advising.subsets import Measured, measure
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray
from tests.advising.samples import clouds, labelled


def errors_by_law(shots: float | FloatArray, *, one: float, rate: float, bend: float) -> FloatArray:
    """The odds of an error with one image a class, and how they fall from there."""
    odds = one / (1 - one) * np.exp(-rate * (1 - shots**-bend) / bend)
    return np.asarray(odds / (1 + odds))


def of_law(*, one: float, rate: float, bend: float, n: int = 20_000) -> Measured:
    """Errors of n images that follow the law exactly at four sizes."""
    shots = np.array([2.0, 4.0, 8.0, 13.0])
    share = errors_by_law(shots, one=one, rate=rate, bend=bend)
    return Measured(shots, np.tile(share, (n, 1)), np.zeros(n, dtype=np.int64), 16.0)


@pytest.mark.parametrize(("one", "rate", "bend"), [(0.7, 1.2, 0.3), (0.4, 1.0, 0.2), (0.9, 1.4, 0.25)])
def test_a_law_is_carried_on(one: float, rate: float, bend: float) -> None:
    """Laws within a deviation of what the prior expects."""
    curve = learning_curve(of_law(one=one, rate=rate, bend=bend))
    for times in (1.0, 2.0):
        expected = curve.expected(times)
        truth = 1 - errors_by_law(16.0 * times, one=one, rate=rate, bend=bend)
        assert expected.top1 == pytest.approx(truth, abs=0.015)
        assert expected.low <= truth <= expected.high


@pytest.mark.parametrize(("one", "four"), [(0.65, 0.30), (0.53, 0.21), (0.23, 0.09), (0.31, 0.08)])
def test_one_size_promises_what_tasks_of_that_level_hold(one: float, four: float) -> None:
    """With one image a class, and with four, of Cars, Pets, Caltech-100 and Flowers on vectors of CLIP."""
    n = 1_000
    errors = (np.arange(n) < one * n).astype(np.float64)[:, None]
    expected = learning_curve(Measured(np.array([1.0]), errors, np.zeros(n, dtype=np.int64), 2.0)).expected(2.0)
    assert 1 - expected.top1 == pytest.approx(four, abs=0.06)


def test_where_one_size_tells_no_slope_the_prior_does() -> None:
    measured = Measured(np.array([1.0]), np.tile([[0.0], [1.0]], (200, 1)), np.zeros(400, dtype=np.int64), 2.0)
    slow, fast = (learning_curve(measured, prior=replace(PRIOR, rate=(rate, 0.2))).expected(2.0) for rate in (0.5, 1.6))
    assert slow.high < fast.low
    sure, open_ = (
        learning_curve(measured, prior=replace(PRIOR, rate=(1.1, deviation))).expected(2.0) for deviation in (0.1, 1e6)
    )
    assert open_.high - open_.low > 2 * (sure.high - sure.low)


def test_more_images_never_promise_less() -> None:
    curve = learning_curve(of_law(one=0.7, rate=1.0, bend=0.3))
    told = [curve.expected(times) for times in (1.0, 2.0, 4.0)]
    assert told[0].top1 <= told[1].top1 <= told[2].top1
    assert [one.shots for one in told] == [16.0, 32.0, 64.0]


def test_the_promise_holds_on_clouds() -> None:
    X, y = clouds(400, seed=7)
    vectors = labelled(12, seed=1)
    fitted = FittedHead.fit("gda", vectors, seed=0)
    measured = errors_of_head(vectors, fitted)
    assert measured is not None
    expected = learning_curve(measured).expected(2.0)
    more = np.concatenate([clouds(12, seed=1)[0], clouds(12, seed=2)[0]])
    twice = FittedHead.fit("gda", LabelledVectors.of(more, np.tile(vectors.y, 2)), seed=0)
    assert expected.low <= (twice.logits(X).argmax(axis=1) == y).mean() <= expected.high


def test_no_head_sees_the_image_that_it_is_judged_by() -> None:
    vectors = labelled(6)

    def scores(part: LabelledVectors, X: FloatArray) -> FloatArray:
        assert not (X[:, None] == part.X[None]).all(axis=2).any()
        assert set(part.y) == set(range(8))
        return np.zeros((len(X), 8))

    measured = measure(vectors, scores, draws=2, seed=0)
    assert measured is not None
    assert (np.diff(measured.shots) > 0).all()
    assert measured.shots[-1] < measured.full == 6
    assert not np.isnan(measured.errors[:, -1]).any()
    # All get column 0, so the images of that class alone are right.
    assert measured.errors[vectors.y == 0, -1].max() == 0
    assert measured.errors[vectors.y > 0, -1].min() == 1


def test_views_of_one_image_are_left_out_together() -> None:
    X, y = clouds(4)
    sources = np.repeat(np.arange(len(y) // 2), 2)
    vectors = LabelledVectors.of(X, y, sources=sources)

    def scores(part: LabelledVectors, X: FloatArray) -> FloatArray:
        held = {sources[np.flatnonzero((row == vectors.X).all(axis=1))[0]] for row in X}
        assert not held & set(part.sources)
        return np.zeros((len(X), 8))

    assert measure(vectors, scores, draws=1, seed=0) is not None


def test_one_image_a_class_tells_nothing() -> None:
    vectors = labelled(1)
    assert errors_of_head(vectors, FittedHead.fit("prototype", vectors, seed=0)) is None


@pytest.mark.parametrize("shots", [2, 3, 5])
def test_auto_is_judged_from_two_images_on(shots: int) -> None:
    vectors = labelled(shots)
    measured = errors_of_head(vectors, FittedHead.fit("auto", vectors, seed=0), draws=1)
    assert measured is not None
    expected = learning_curve(measured).expected(4.0)
    assert 0 <= expected.low <= expected.top1 <= expected.high <= 1


def test_images_without_an_error_promise_no_certainty() -> None:
    shots = np.array([1.0, 2.0])
    told = learning_curve(Measured(shots, np.zeros((20, 2)), np.zeros(20, dtype=np.int64), 4.0)).expected(1.0)
    assert told.low < 1.0
