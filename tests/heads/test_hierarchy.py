"""Answers that climb: wrong no more often than was asked for, and no wider than that takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from inkling.errors import InputError
from inkling.heads.hierarchy import Climbing, Hierarchy, Levels, answers, wrong_allowed
from inkling.heads.prediction_sets import SetCalibration
from inkling.heads.softmax import softmax
from inkling.types import FloatArray, IntArray

NAMES = ("bus", "car", "truck", "cat", "dog", "stone")
TREE = Hierarchy.of(
    [("bus", "motor"), ("car", "motor"), ("truck", "motor"), ("cat", "pet"), ("dog", "pet"), ("motor", "thing")]
)
LEVELS = Levels.of(TREE, NAMES)


def drawn(rng: np.random.Generator, n: int) -> tuple[FloatArray, IntArray]:
    """Classes of one group are taken for each other."""
    y = rng.integers(len(NAMES), size=n)
    groups = [TREE.above(name)[:1] or name for name in NAMES]
    alike = np.array([[one == other for other in groups] for one in groups])
    z = 3.0 * alike[y] + 1.5 * np.eye(len(NAMES))[y] + rng.normal(size=(n, len(NAMES)))
    return softmax(z), y


def calibration(p: FloatArray, y: IntArray) -> SetCalibration:
    return SetCalibration.of(p, y, NAMES, sources=np.arange(len(y)))


def test_groups_of_a_class_come_from_near_to_far() -> None:
    assert TREE.above("car") == ("motor", "thing")
    assert TREE.above("stone") == ()


def test_levels_hold_what_stands_below_them() -> None:
    held = {
        name: [NAMES[k] for k in np.flatnonzero(row)] for name, row in zip(LEVELS.names, LEVELS.members, strict=True)
    }
    assert held["motor"] == held["thing"] == ["bus", "car", "truck"]
    assert held["dog"] == ["dog"]
    assert held[None] == list(NAMES)
    assert [LEVELS.names[row] for row in LEVELS.ways[4]] == ["dog", "pet", None, None]


def test_a_class_may_be_a_group_of_others() -> None:
    levels = Levels.of(Hierarchy.of([("poodle", "dog")]), ("cat", "dog", "poodle"))
    assert levels.members[levels.names.index("dog")].tolist() == [False, True, True]


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.15])
def test_no_more_answers_are_wrong_than_was_asked_for_in_nine_of_ten_memories(rate: float) -> None:
    rng = np.random.default_rng(0)
    wrong, steps = [], []
    for _ in range(60):
        held = calibration(*drawn(rng, 200))
        p, y = drawn(rng, 10_000)
        found = answers(p, LEVELS, held, rate)
        wrong.append((~LEVELS.members[found.groups, y]).mean())
        steps.append(found.steps)
    assert 0.8 <= (np.array(wrong) <= rate).mean() <= 0.99
    expected = binom.ppf(0.1, 200, rate) / 201  # of the largest number allowed
    assert abs(np.mean(wrong) - expected) < 0.008
    assert (np.concatenate(steps) == 0).mean() > 0.25


@settings(max_examples=40, deadline=None)
@given(n=st.integers(20, 2000), rate=st.floats(0.01, 0.5))
def test_the_images_that_may_be_wrong_follow_from_the_exact_distribution(n: int, rate: float) -> None:
    allowed = wrong_allowed(n, rate)
    assert beta.cdf(rate, allowed + 1, n - allowed) < 0.9 + 1e-9
    assert allowed == 1 or beta.cdf(rate, allowed, n + 1 - allowed) >= 0.9 - 1e-9


def test_a_lower_rate_gives_no_narrower_answer() -> None:
    rng = np.random.default_rng(1)
    held = calibration(*drawn(rng, 300))
    p, _ = drawn(rng, 200)
    narrow, wide = (answers(p, LEVELS, held, rate) for rate in (0.2, 0.05))
    assert (wide.steps >= narrow.steps).all()
    assert (wide.steps > narrow.steps).any()
    assert (wide.probabilities >= narrow.probabilities - 1e-9).all()


def test_probabilities_are_those_of_all_classes_below() -> None:
    rng = np.random.default_rng(2)
    held = calibration(*drawn(rng, 300))
    p, _ = drawn(rng, 50)
    found = answers(p, LEVELS, held, 0.1)
    for row, group in enumerate(found.groups):
        assert found.probabilities[row] == pytest.approx(p[row][LEVELS.members[group]].sum())
        assert LEVELS.members[group, p[row].argmax()]


def test_images_of_classes_that_are_gone_do_not_count() -> None:
    rng = np.random.default_rng(3)
    p, y = drawn(rng, 300)
    held = calibration(p, y)
    kept, column = held.held_out(NAMES[1:])
    assert len(column) == (y > 0).sum()
    assert kept.shape[1] == 5
    assert kept == pytest.approx(np.round(p[y > 0, 1:], 4))


def test_what_a_memory_keeps_gives_the_same_answers() -> None:
    rng = np.random.default_rng(4)
    held = calibration(*drawn(rng, 300))
    p, _ = drawn(rng, 100)
    again = SetCalibration.from_json(held.to_json())
    assert (answers(p, LEVELS, again, 0.1).groups == answers(p, LEVELS, held, 0.1).groups).all()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "No class has a parent"),
        ([("a", "b"), ("b", "c"), ("c", "a")], "in a circle: a > b > c > a"),
        ([("a", "a")], "in a circle: a > a"),
        ([("a", "b"), ("a", "c")], "'a' has two parents: 'b' and 'c'"),
    ],
)
def test_what_is_no_tree_is_refused(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Hierarchy.of(pairs)


def test_parents_of_other_classes_are_refused() -> None:
    with pytest.raises(InputError, match="'caar' has a parent and is no class; without a parent: 'car'"):
        Hierarchy.of([("bus", "motor"), ("caar", "motor")]).check(("bus", "car"))
    with pytest.raises(InputError, match="of other classes"):
        Hierarchy.of([("bus", "motor")]).check(("cat", "dog"))
    Hierarchy.of([("bus", "motor"), ("tram", "motor")]).check(("bus",))
    Hierarchy.of([("bus", "motor")]).check(("bus", "cat"))


@pytest.mark.parametrize("rate", [0.0, 1.0, 5.0])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Climbing(TREE, rate)


def test_too_few_held_out_images_are_refused() -> None:
    p, y = drawn(np.random.default_rng(5), 12)
    with pytest.raises(InputError, match=r"at least 19 .* there are 12"):
        answers(p, LEVELS, calibration(p, y), 0.05)
