"""PLDA against densities worked out with the full covariance matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from inkling.heads.support import complete_support
from inkling.unknown.gaussians import ClassGaussians
from inkling.unknown.plda import PLDA
from tests.heads.samples import draw_task


def classes_of(seed: int, *, n_classes: int, dims: int, shots: int = 4) -> tuple[ClassGaussians, np.ndarray]:
    task = draw_task(seed, n_classes=n_classes, shots=shots, dims=dims, text_noise=None, n_test=20)
    return ClassGaussians.of(complete_support(task.X, task.y, None, n_classes, dims), n_dims=dims), task.test_X


@pytest.mark.parametrize(("n_classes", "dims"), [(4, 12), (12, 5)])
def test_ratio_of_predictive_densities(n_classes: int, dims: int) -> None:
    classes, X = classes_of(0, n_classes=n_classes, dims=dims)
    model = PLDA.of(classes)
    off_axes = np.eye(dims) - model.axes @ model.axes.T
    B = model.axes @ np.diag(model.variances) @ model.axes.T + model.other_variance * off_axes
    white, means = model.whiten(X).astype(float), model.whiten(classes.means).astype(float)
    new_class = multivariate_normal(np.zeros(dims), B + np.eye(dims)).logpdf(white)
    known = []
    for mean, n in zip(means, classes.counts, strict=True):
        v = np.linalg.inv(np.linalg.inv(B) + n * np.eye(dims))
        known.append(multivariate_normal(v @ (n * mean), v + np.eye(dims)).logpdf(white))
    assert model(X) == pytest.approx(new_class - np.max(known, axis=0), rel=1e-4, abs=1e-3)


def test_the_known_mean_is_likelier_known_and_the_far_image_is_not() -> None:
    classes, _ = classes_of(0, n_classes=4, dims=12, shots=8)
    ratio = PLDA.of(classes)
    assert (ratio(classes.means) < 0).all()
    far = classes.means.mean(axis=0) - 3.0 * (classes.means[:1] - classes.means.mean(axis=0))
    assert ratio(far) > 0


def test_an_unknown_image_in_a_direction_that_no_class_takes_is_noticed() -> None:
    classes, _ = classes_of(0, n_classes=4, dims=30, shots=8)
    model = PLDA.of(classes)
    step = np.linalg.svd(model.axes)[0][:, -1] / model.whiten.scale
    assert abs(step @ model.axes).max() < 1e-6
    known = classes.means[:1]
    assert model(known + 6.0 * step) > model(known + 3.0 * step) > model(known)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), data=st.data())
def test_the_order_of_the_classes_does_not_matter(seed: int, data: st.DataObject) -> None:
    task = draw_task(seed, n_classes=5, shots=3, dims=10, text_noise=None, n_test=15)
    place = np.array(data.draw(st.permutations(range(5))))
    original, permuted = (
        PLDA.of(ClassGaussians.of(complete_support(task.X, y, None, 5, 10), n_dims=10))(task.test_X)
        for y in (task.y, place[task.y])
    )
    assert permuted == pytest.approx(original, rel=1e-3, abs=1e-3)


def test_one_class_gives_no_ratio() -> None:
    task = draw_task(0, n_classes=2, shots=5, dims=8, text_noise=None, n_test=5)
    rows = task.y == 0
    classes = ClassGaussians.of(complete_support(task.X[rows], task.y[rows], None, 1, 8), n_dims=8)
    assert PLDA.of(classes)(task.test_X) == pytest.approx(np.zeros(5), abs=1e-3)
