"""Whitening, distances and axes against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from inkling.heads.support import complete_support
from inkling.unknown.gaussians import ClassGaussians, principal_axes, squared_distances
from tests.heads.samples import draw_task


@pytest.mark.parametrize("dims", [5, 40])
@pytest.mark.parametrize("shrinkage", [0.3, 1.0])
def test_whitening_inverts_the_shrunk_covariance(dims: int, shrinkage: float) -> None:
    task = draw_task(0, n_classes=3, shots=6, dims=dims, text_noise=None, n_test=10)
    classes = ClassGaussians.of(complete_support(task.X, task.y, None, 3, dims), n_dims=dims)
    means = np.array([task.X[task.y == k].mean(axis=0) for k in range(3)])
    residuals = task.X - means[task.y]
    S = residuals.T @ residuals / (len(task.X) - 3)
    S = (1 - shrinkage) * S + shrinkage * np.trace(S) / dims * np.eye(dims)
    white = classes.whitener(shrinkage=shrinkage)(task.test_X)
    expected = cdist(task.test_X, task.test_X, "mahalanobis", VI=np.linalg.inv(S))
    assert cdist(white, white) == pytest.approx(expected, rel=1e-3)


def test_copies_of_one_image_leave_numbers_finite() -> None:
    X = np.repeat(np.eye(4)[:2], 3, axis=0)
    classes = ClassGaussians.of(complete_support(X, np.repeat([0, 1], 3), None, 2, 4), n_dims=4)
    assert np.isfinite(classes.whitener(shrinkage=0.3)(X)).all()


def test_one_image_a_class_lets_the_means_stand_in() -> None:
    X = draw_task(0, n_classes=5, shots=1, dims=8, text_noise=None).X
    classes = ClassGaussians.of(complete_support(X, np.arange(5), None, 5, 8), n_dims=8)
    assert classes.degrees == 4
    assert classes.eigenvalues.sum() / 4 == pytest.approx(np.trace(np.cov(X.T)))


def test_squared_distances() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(5, 7)), rng.normal(size=(3, 7))
    assert squared_distances(A, B) == pytest.approx(cdist(A, B, "sqeuclidean"))
    assert (squared_distances(A, A) >= 0).all()


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6)])
def test_axes_are_those_of_the_singular_value_decomposition(shape: tuple[int, int]) -> None:
    M = np.random.default_rng(0).normal(size=shape)
    M -= M.mean(axis=0)
    axes, squares = principal_axes(M)
    assert axes.T @ axes == pytest.approx(np.eye(len(squares)), abs=1e-9)
    assert (axes * squares) @ axes.T == pytest.approx(M.T @ M)
    assert len(squares) == np.linalg.matrix_rank(M)
