"""What is chosen from pools whose groups and borders are known."""

from __future__ import annotations

import numpy as np

from inkling.advising.label_next import TYPICAL, UNSURE, label_next, unsure
from inkling.advising.typicality import typical
from inkling.heads.fitted import FittedHead
from inkling.heads.support import unit_rows
from tests.advising.samples import clouds, labelled


def test_a_cold_start_asks_about_each_group_once() -> None:
    X, y = clouds(30, classes=6, spread=0.1)
    rows, sizes = typical(X, X[:0], 6, seed=0)
    assert sorted(y[rows].tolist()) == list(range(6))
    assert (sizes == 30).all()


def test_typical_images_lie_in_the_middle_of_their_group() -> None:
    X, y = clouds(40, classes=4, spread=0.15)
    rows, _ = typical(X, X[:0], 4, seed=0)
    for row in rows:
        centre = unit_rows(X[y == y[row]].mean(axis=0)[None])[0]
        nearness = X[y == y[row]] @ centre
        assert (nearness > X[row] @ centre).mean() < 0.5


def test_groups_that_have_a_label_come_last() -> None:
    X, y = clouds(30, classes=6, spread=0.1)
    known = np.flatnonzero(y < 3)[::30]
    rest = np.setdiff1d(np.arange(len(y)), known)
    rows, _ = typical(X[rest], X[known], 3, seed=0)
    assert sorted(y[rest][rows].tolist()) == [3, 4, 5]


def test_all_of_a_pool_can_be_ordered_and_none_twice() -> None:
    X, _ = clouds(5, classes=3)
    assert sorted(typical(X, X[:0], 99, seed=0)[0].tolist()) == list(range(15))
    rows, sizes = unsure(X, np.linspace(0, 1, 15), 99, block=4, seed=0)
    assert sorted(rows.tolist()) == list(range(15))
    assert len(sizes) == 15


def test_copies_of_one_picture_are_no_reason_to_fail() -> None:
    X = np.tile(unit_rows(np.ones((1, 8))), (12, 1))
    assert len(set(typical(X, X[:0], 12, seed=0)[0].tolist())) == 12


def test_unsure_images_come_first_and_copies_of_them_later() -> None:
    pool = np.eye(6)[[2, 2, 2, 3, 3, 3, 4, 4, 4]]
    rows, sizes = unsure(pool, np.array([0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9]), 3, block=2, seed=0)
    assert set((rows[:2] // 3).tolist()) == {0, 1}
    assert rows[2] // 3 == 2
    assert sizes.tolist()[:2] == [3, 3]


def test_reasons_follow_the_number_of_labels() -> None:
    pool, _ = clouds(10, seed=3)
    for shots, reason in ((1, TYPICAL), (2, TYPICAL), (5, UNSURE)):
        vectors = labelled(shots)
        p = FittedHead.fit("prototype", vectors, seed=0).probabilities(pool)
        chosen = label_next(vectors, pool, p, n=7)
        assert len({one.row for one in chosen}) == 7
        assert {one.reason for one in chosen} == {reason}
        for one in chosen:
            assert one.margin == p[one.row].max() - np.sort(p[one.row])[-2]
            assert p[one.row, one.first] == p[one.row].max()


def test_the_order_does_not_depend_on_how_many_are_asked_for() -> None:
    pool, _ = clouds(20, seed=3)
    vectors = labelled(5)
    p = FittedHead.fit("prototype", vectors, seed=0).probabilities(pool)
    few, many = (label_next(vectors, pool, p, n=n) for n in (10, 60))
    assert few == many[:10]
