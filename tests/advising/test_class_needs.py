"""Recall by class: which class is worst, and how far few images are believed."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.advising.class_needs import class_needs, prior_of
from inkling.advising.subsets import Measured


def measured(wrong: list[list[float]]) -> Measured:
    y = np.repeat(np.arange(len(wrong)), [len(of_class) for of_class in wrong])
    errors = np.array([one for of_class in wrong for one in of_class])[:, None]
    return Measured(np.array([1.0]), errors, y, 4.0)


def test_the_class_with_the_lowest_recall_comes_first() -> None:
    needs = class_needs(measured([[0] * 20, [1] * 10 + [0] * 10, [0] * 19 + [1]]), ["a", "b", "c"], [20, 20, 20])
    assert [one.name for one in needs] == ["b", "c", "a"]
    assert needs[0].recall == pytest.approx(0.5, abs=0.05)
    for one in needs:
        assert one.low is not None
        assert one.recall is not None
        assert one.high is not None
        assert one.low < one.recall < one.high


def test_few_images_are_drawn_to_the_others() -> None:
    rng = np.random.default_rng(0)
    many = [(rng.random(40) < 0.2).astype(float).tolist() for _ in range(10)]
    needs = {
        one.name: one for one in class_needs(measured([*many, [1.0, 1.0]]), [*"abcdefghij", "few"], [40] * 10 + [2])
    }
    few = needs["few"]
    assert few.recall is not None
    assert 0.2 < few.recall < 0.8
    assert few.judged == 2


def test_classes_without_images_come_before_all() -> None:
    nan = float("nan")
    needs = class_needs(measured([[1, 1], [nan], [0, 0]]), ["bad", "single", "good", "text"], [2, 1, 2, 0])
    assert [one.name for one in needs] == ["text", "single", "bad", "good"]
    assert [one.recall is None for one in needs] == [True, True, False, False]
    assert len(class_needs(None, ["a", "b"], [1, 1])) == 2


def test_recalls_within_chance_of_each_other_count_as_one() -> None:
    n = np.full(50, 10.0)
    a, b = prior_of(np.random.default_rng(0).binomial(10, 0.7, size=50).astype(float), n)
    assert a / (a + b) == pytest.approx(0.7, abs=0.04)
    assert a + b > 30
    a, b = prior_of(np.repeat([0.0, 10.0], 25), n)
    assert a + b < 5
