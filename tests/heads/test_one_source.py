"""Bursts among drawn vectors: found relative to their class; tight classes and halves of a class are none."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads import one_source as module
from inkling.heads.one_source import SHRINKAGE, Residuals, one_source
from inkling.heads.support import unit_rows
from inkling.types import FloatArray, IntArray

CLASSES, EACH, DIMS = 6, 20, 64


def drawn(seed: int = 0, *, spread: float = 0.5) -> tuple[FloatArray, IntArray]:
    """Independent images: classes about centres that are as alike as those of a fine-grained set."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(CLASSES), EACH)
    centres = 3.0 * rng.normal(size=DIMS) + rng.normal(size=(CLASSES, DIMS))
    return centres[y] + spread * rng.normal(size=(len(y), DIMS)), y


def groups(source: IntArray) -> list[list[int]]:
    found = [np.flatnonzero(source == number).tolist() for number in np.unique(source)]
    return [rows for rows in found if len(rows) > 1]


@pytest.mark.parametrize("seed", range(5))
def test_independent_images_have_sources_of_their_own_however_alike_they_are(seed: int) -> None:
    X, y = drawn(seed, spread=0.1)
    X = unit_rows(X)
    assert (X @ X.T).min() > 0.8
    assert groups(one_source(X, y)) == []


@pytest.mark.parametrize("seed", range(5))
def test_bursts_of_two_classes(seed: int) -> None:
    X, y = drawn(seed)
    rng = np.random.default_rng(100)
    planted = [list(range(3, 7)), list(range(25, 28))]
    for rows in planted:
        X[rows] = X[rows[0]] + 0.2 * rng.normal(size=(len(rows), DIMS))
    assert groups(one_source(unit_rows(X), y)) == planted


def test_one_class_alone() -> None:
    X, y = drawn()
    X[3:6] = X[3] + 0.1 * np.random.default_rng(1).normal(size=(3, DIMS))
    assert groups(one_source(unit_rows(X[:EACH]), y[:EACH])) == [[3, 4, 5]]


def test_a_tight_class_is_no_burst() -> None:
    X, y = drawn()
    X[y == 2] = X[y == 2].mean(axis=0) + 0.2 * (X[y == 2] - X[y == 2].mean(axis=0))
    assert groups(one_source(unit_rows(X), y)) == []


def test_halves_of_a_class_are_no_bursts() -> None:
    X, y = drawn()
    X[: EACH // 2] += 2.0 * np.random.default_rng(1).normal(size=DIMS)
    assert groups(one_source(unit_rows(X), y)) == []


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_images(n: int) -> None:
    X, y = drawn()
    assert groups(one_source(unit_rows(X[:n]), y[:n])) == []


def test_copies_alone() -> None:
    X = np.ones((4, 3)) / np.sqrt(3.0)
    assert len(one_source(X, np.array([0, 0, 1, 1]))) == 4


def test_parts_that_grow_too_large_are_clustered_by_closer_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = drawn()
    X[3:7] = X[3] + 0.05 * np.random.default_rng(1).normal(size=(4, DIMS))
    whole = one_source(unit_rows(X), y)
    monkeypatch.setattr(module, "WHOLE", 4)
    monkeypatch.setattr(module, "_ROWS", 7)
    assert groups(whole) == [[3, 4, 5, 6]]
    assert one_source(unit_rows(X), y).tolist() == whole.tolist()


def test_fewer_images_than_dimensions() -> None:
    """In the basis of their span they are as alike as by whitening in all dimensions."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 40)).astype(np.float32), np.repeat([0, 1], 6)
    R = np.sqrt(6 / 5) * (X - np.stack([X[y == k].mean(axis=0) for k in (0, 1)])[y]).astype(np.float64)
    S = R.T @ R
    root = np.linalg.cholesky((1 - SHRINKAGE) * S * 40 / np.trace(S) + SHRINKAGE * np.eye(40))
    white = np.linalg.solve(root, R.T).T
    found = Residuals.of(X, y)
    np.testing.assert_allclose(found.R @ found.R.T, white @ white.T, rtol=1e-3, atol=1e-3)
