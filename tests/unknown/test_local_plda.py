"""PLDA with covariances of the classes' own, against densities worked out with full matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from inkling.heads.support import complete_support, unit_rows
from inkling.types import FloatArray, IntArray
from inkling.unknown import local_plda as module
from inkling.unknown.gaussians import ClassGaussians
from inkling.unknown.local_plda import LIKELIEST, PRIOR, LocalPLDA
from inkling.unknown.plda import PLDA

DIMS = 10


def task(n_classes: int = 4, shots: int = 8) -> tuple[PLDA, FloatArray, FloatArray, IntArray, FloatArray]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), shots)
    centres = rng.normal(size=(n_classes, DIMS))
    X = unit_rows(centres[y] + 0.3 * rng.normal(size=(len(y), DIMS))).astype(np.float32)
    classes = ClassGaussians.of(complete_support(X, y, None, n_classes, DIMS), n_dims=DIMS)
    return PLDA.of(classes), classes.means, X, y, unit_rows(rng.normal(size=(30, DIMS))).astype(np.float32)


@pytest.mark.parametrize("n_images", [30, 1])
def test_ratio_of_densities(n_images: int) -> None:
    """One image at a time is scored another way than many."""
    plda, means, X, y, test_X = task()
    found = LocalPLDA.of(plda, means, X, y)(test_X[:n_images])
    white, centres = plda.whiten(test_X[:n_images]).astype(float), plda.whiten(means).astype(float)
    known = []
    for k, centre in enumerate(centres):
        R = plda.whiten(X[y == k]) - centre
        W = (PRIOR * np.eye(DIMS) + R.T @ R) / (PRIOR + len(R) - 1)
        known.append(multivariate_normal(centre, W).logpdf(white))
    off_axes = np.eye(DIMS) - plda.axes @ plda.axes.T
    B = plda.axes @ np.diag(plda.variances) @ plda.axes.T + plda.other_variance * off_axes
    new_class = multivariate_normal(np.zeros(DIMS), B + np.eye(DIMS)).logpdf(white)
    assert found == pytest.approx(new_class - np.max(known, axis=0), rel=1e-4, abs=1e-3)


def test_images_come_in_any_order_and_classes_may_have_one_or_none() -> None:
    plda, means, X, y, test_X = task()
    order = np.random.default_rng(1).permutation(len(y))
    model = LocalPLDA.of(plda, means, X, y)
    assert LocalPLDA.of(plda, means, X[order], y[order])(test_X) == pytest.approx(model(test_X), rel=1e-5)
    few = (y > 1) | (np.arange(len(y)) == 0)  # one image of the first class, none of the second
    assert np.isfinite(LocalPLDA.of(plda, means, X[few], y[few])(test_X)).all()


def test_of_many_classes_the_likeliest_are_looked_at() -> None:
    plda, means, X, y, test_X = task(n_classes=40, shots=3)
    model = LocalPLDA.of(plda, means, X, y)
    assert len(model.centres) > 5 * LIKELIEST
    one_by_one = np.concatenate([model(row[None]) for row in test_X])
    assert model(test_X) == pytest.approx(one_by_one, rel=1e-5, abs=1e-4)


def test_of_many_images_of_a_class_some_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OF_CLASS", 4)
    plda, means, X, y, test_X = task()
    assert LocalPLDA.of(plda, means, X, y).residuals.shape == (4, 4, DIMS)
    assert np.isfinite(LocalPLDA.of(plda, means, X, y)(test_X)).all()
