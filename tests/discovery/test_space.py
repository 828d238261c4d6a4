"""Variances of classes that are yet to be found, and known classes that do not suffice."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.space import Space
from inkling.errors import InputError
from inkling.types import FloatArray, IntArray
from tests.discovery.samples import draw_classes


def mean_cosine_within(Z: FloatArray, y: IntArray) -> float:
    same = (y[:, None] == y) & ~np.eye(len(y), dtype=bool)
    return float((Z @ Z.T)[same].mean())


@pytest.mark.parametrize("noise", [0.4, 0.8, 1.5])
def test_the_expected_cohesion_is_that_of_classes_never_seen(noise: float) -> None:
    known, y = draw_classes(n_classes=30, per_class=8, dims=40, noise=noise, seed=0)
    new, new_y = draw_classes(n_classes=30, per_class=8, dims=40, noise=noise, seed=1)
    space = Space.of(known, y)
    assert space.typical_cohesion == pytest.approx(mean_cosine_within(space(new), new_y), abs=0.07)


def test_vectors_are_unit_and_their_length_has_no_say() -> None:
    X, y = draw_classes(n_classes=4, per_class=5, dims=16, noise=0.7, seed=2)
    space, scaled = Space.of(X, y), Space.of(3.0 * X, y)
    assert np.linalg.norm(space(X), axis=1) == pytest.approx(1.0)
    assert scaled(5.0 * X) == pytest.approx(space(X), abs=1e-6)
    assert space.counts.tolist() == [5] * 4


def test_a_class_with_one_image_takes_part() -> None:
    X, y = draw_classes(n_classes=4, per_class=5, dims=16, noise=0.7, seed=2)
    kept = (y > 0) | (np.arange(len(y)) == 0)
    space = Space.of(X[kept], y[kept])
    assert space.counts.tolist() == [1, 5, 5, 5]
    assert np.isfinite([space.within, space.between]).all()


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([0, 0, 0, 0], "at least two known classes"),
        ([0, 0, 2, 2], "without a gap"),
        ([0, 1, 2, 3], "one image"),
        ([0, 1, 1], "with one class each"),
        ([-1, 0, 1, 1], "at least two known classes"),
    ],
)
def test_known_classes_that_do_not_suffice_are_refused(y: list[int], told: str) -> None:
    X = np.random.default_rng(0).normal(size=(4, 6))
    with pytest.raises(InputError, match=told):
        Space.of(X, np.array(y))


def test_copies_are_of_one_source_and_images_of_one_class_are_not() -> None:
    known, y = draw_classes(n_classes=10, per_class=8, dims=40, noise=0.8, seed=0)
    new, _ = draw_classes(n_classes=10, per_class=8, dims=40, noise=0.8, seed=1)
    space = Space.of(known, y)
    Z = space(new)
    cosines = (Z @ Z.T)[np.triu_indices(len(Z), k=1)]
    assert space.one_source > cosines.max()
    frames = space(new + 0.1 * np.random.default_rng(3).normal(size=new.shape) / np.sqrt(40))
    assert ((Z * frames).sum(axis=1) >= space.one_source).all()


def test_where_images_of_other_classes_look_the_same_nothing_is_of_one_source() -> None:
    known, y = draw_classes(n_classes=10, per_class=8, dims=40, noise=0.8, seed=0)
    same = np.concatenate([known, known])
    assert Space.of(same, np.concatenate([y, y + 10])).one_source > 1.0
