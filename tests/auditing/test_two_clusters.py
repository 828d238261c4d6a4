"""Two clusters planted as one class among sound classes, by vectors."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.auditing.two_clusters import CLASSES, LEAST, TwoClusters, two_clusters
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

WIDTH, SIZE = 32, 12


def drawn(n_classes: int, *, merged: int = 0, size: int = SIZE, seed: int = 0) -> tuple[FloatArray, IntArray, IntArray]:
    """Vectors, classes of which the first `merged` are of two things each, and which thing each vector is of."""
    rng = np.random.default_rng(seed)
    thing = np.concatenate(
        [np.repeat([2 * k, 2 * k + (k < merged)], [size // 2, size - size // 2]) for k in range(n_classes)]
    )
    means = rng.normal(size=(2 * n_classes, WIDTH))
    return unit_rows(means[thing] + 0.6 * rng.normal(size=(len(thing), WIDTH))), thing // 2, thing


def found(X: FloatArray, y: IntArray, source: IntArray | None = None) -> list[TwoClusters]:
    return two_clusters(X, y, np.arange(len(y)) if source is None else source)


@pytest.mark.parametrize("n_classes", [CLASSES, 12])
def test_a_class_of_two_things_is_two_clusters(n_classes: int) -> None:
    X, y, thing = drawn(n_classes, merged=1)
    (one,) = found(X, y)
    assert one.k == 0
    assert {frozenset(thing[part]) for part in one.rows} == {frozenset({0}), frozenset({1})}
    assert [thing[row] for row in one.typical] == [thing[part[0]] for part in one.rows]
    assert len(one.rows[0]) >= len(one.rows[1])


@pytest.mark.parametrize("seed", range(5))
def test_sound_classes_are_not(seed: int) -> None:
    X, y, _ = drawn(12, seed=seed)
    assert found(X, y) == []


def test_a_few_images_that_differ_are_no_second_cluster() -> None:
    X, y, thing = drawn(12, merged=1, size=24)
    kept = (thing != 1) | (np.cumsum(thing == 1) <= 2)
    assert found(X[kept], y[kept]) == []


def test_a_burst_counts_as_one_image() -> None:
    X, y, thing = drawn(12, merged=1)
    assert found(X, y, np.where(thing == 1, 1000, np.arange(len(y)))) == []


def test_small_classes_are_not_split() -> None:
    X, y, _ = drawn(12, merged=12, size=LEAST - 1)
    assert found(X, y) == []


def test_of_many_images_all_are_in_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkling.auditing.two_clusters.MOST", 16)
    X, y, thing = drawn(8, merged=1, size=60)
    (one,) = found(X, y)
    assert sorted(np.concatenate(one.rows)) == np.flatnonzero(y == 0).tolist()
    assert all(len(set(thing[part])) == 1 for part in one.rows)


def test_classes_of_copies_end_nothing() -> None:
    X, y, _ = drawn(8)
    assert found(X[np.searchsorted(y, y)], y) == []


def test_vectors_wider_than_there_are_images_and_numbers_of_classes_with_gaps() -> None:
    X, y, _ = drawn(8, merged=1)
    rotated = X @ np.linalg.qr(np.random.default_rng(1).normal(size=(400, WIDTH)))[0].T
    assert [(one.k, round(one.apart, 4)) for one in found(X, y * 3)] == [
        (0, pytest.approx(found(X, y)[0].apart, abs=1e-3))
    ]
    assert [one.k for one in found(rotated, y)] == [0]
