"""Scatter and whitening against dense eigen-decompositions, with few and with many images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from inkling.heads.scatter import class_means, within_class_scatter
from inkling.heads.support import Support
from inkling.heads.whitening import whitening
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task, unit

WIDE_AND_TALL = pytest.mark.parametrize(("shots", "dims"), [(3, 40), (20, 12), (1, 12), ((1, 2, 30, 4), 16)])


def support_of(task: Task) -> Support:
    return Support(task.X, task.y, len(task.y), task.n_classes, None)


def dense_scatter(task: Task) -> FloatArray:
    """Scatter within classes, or between them where each has one image, (d, d)."""
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(task.n_classes)])
    R = means - means.mean(axis=0) if len(task.y) == task.n_classes else task.X - means[task.y]
    return np.asarray(R.T @ R)


@WIDE_AND_TALL
def test_directions_and_eigenvalues_make_up_the_dense_scatter(shots: int | tuple[int, ...], dims: int) -> None:
    task = draw_task(shots=shots, dims=dims, text_noise=None)
    found = support_of(task).scatter
    dense = dense_scatter(task)
    assert (found.directions * found.eigenvalues) @ found.directions.T == pytest.approx(dense, abs=1e-10)
    assert found.directions.T @ found.directions == pytest.approx(np.eye(len(found.eigenvalues)), abs=1e-8)
    assert found.trace == pytest.approx(np.trace(dense))
    assert len(found.eigenvalues) == np.linalg.matrix_rank(dense)


@WIDE_AND_TALL
@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_whitening_is_the_inverse_root_of_the_shrunk_covariance(
    shots: int | tuple[int, ...], dims: int, shrinkage: float
) -> None:
    task = draw_task(shots=shots, dims=dims, text_noise=None)
    S = dense_scatter(task)
    shrunk = (1 - shrinkage) * S + shrinkage * np.trace(S) / dims * np.eye(dims)
    centre = np.mean([task.X[task.y == k].mean(axis=0) for k in range(task.n_classes)], axis=0)
    expected = unit((task.test_X - centre) @ np.linalg.inv(np.real(sqrtm(shrunk))))
    assert whitening(support_of(task), shrinkage=shrinkage)(task.test_X) == pytest.approx(expected, abs=1e-7)


def test_class_means_leave_a_class_without_images_open() -> None:
    means = class_means(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([2, 2]), 3)
    assert np.isnan(means[:2]).all()
    assert means[2].tolist() == [2.0, 3.0]


def test_copies_have_no_scatter() -> None:
    X = np.repeat(np.eye(4), 2, axis=0)
    found = within_class_scatter(X, np.repeat(np.arange(4), 2), np.eye(4))
    assert found.trace == 0.0
    assert found.directions.shape == (4, 0)
