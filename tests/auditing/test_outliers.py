"""Images of no class, planted among images of several."""

from __future__ import annotations

import numpy as np

from inkling.auditing.outliers import outliers
from inkling.types import FloatArray, IntArray


def images(n_classes: int, shots: int, *, seed: int = 0) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), shots)
    X = rng.normal(size=(n_classes, 64))[y] + 0.8 * rng.normal(size=(len(y), 64))
    return X / np.linalg.norm(X, axis=1, keepdims=True), y


def test_next_to_no_sound_image_is_one() -> None:
    X, y = images(20, 16)
    assert len(outliers(X, y).rows) <= 0.01 * len(X)


def test_an_image_of_another_class_that_is_not_there_is_one() -> None:
    X, y = images(21, 16)
    known = y < 20
    foreign = X[~known][:8]
    found = outliers(np.vstack([X[known], foreign]), np.concatenate([y[known], np.arange(8)]))
    assert set(range(320, 328)) <= set(found.rows.tolist())
    assert all(0.5 <= found.score(row) <= 1.0 for row in found.rows)


def test_images_that_another_class_fits_are_none() -> None:
    """Those nearly as near to it as its own are: the centre of another class is nearer than most."""
    X, y = images(20, 16)
    centres = np.array([X[y == k].mean(axis=0) for k in range(20)])
    X[:3] = centres[5:8] / np.linalg.norm(centres[5:8], axis=1, keepdims=True)
    assert not {0, 1, 2} & set(outliers(X, y).rows.tolist())


def test_a_class_with_few_images_has_none() -> None:
    X, y = images(21, 16)
    kept = (y < 20) | (np.arange(len(y)) >= len(y) - 3)
    X[-1] = -X[0]
    assert not {320, 321, 322} & set(outliers(X[kept], y[kept]).rows.tolist())


def test_it_is_relative_to_the_spread_of_the_class() -> None:
    """A class whose images are all far from each other has no outliers for that."""
    X, y = images(20, 16)
    X[y == 0] = np.random.default_rng(1).normal(size=(16, 64)) / 8.0
    assert (y[outliers(X, y).rows] == 0).sum() <= 2


def test_classes_of_one_image_are_compared_with_as_well() -> None:
    X, y = images(7, 4)
    kept = (y == 0) | (np.arange(len(y)) % 4 == 0)
    found = outliers(X[kept], y[kept])
    assert len(found.rows) == 0
    assert np.isfinite(found.near[y[kept] == 0]).all()


def test_wide_vectors_hide_none() -> None:
    """Spread along 1,500 numbers, of which few directions have what images of a class share."""
    X, y = images(21, 16)
    rng = np.random.default_rng(2)
    X = X @ rng.normal(size=(64, 1500)) / 64**0.5 + 0.5 * rng.normal(size=(len(y), 1500))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    known = y < 20
    found = outliers(np.vstack([X[known], X[~known][:8]]), np.concatenate([y[known], np.arange(8)])).rows
    assert (found >= 320).sum() >= 4
    assert (found < 320).sum() <= 3
