"""Local GDA against the same rule with everything of size d x d written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import softmax

from inkling.errors import InputError
from inkling.heads.local_gda import MAX_IMAGES, RIDGE, LocalGDAHead
from inkling.heads.shrunk_means import shrunk_means
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task


def dense_scores(task: Task, *, n_candidates: int, prior_images: float, sure: float = 1.0) -> FloatArray:
    """Log-densities of the test images, but for what all classes share, by dense covariances."""
    d, K = task.X.shape[1], task.n_classes
    counts = np.bincount(task.y)
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(K)])
    away, degrees = task.X - means[task.y], max(len(task.y) - K, 1)
    S = away.T @ away / degrees
    root = np.real(sqrtm(np.linalg.inv(S + RIDGE * np.trace(S) / degrees * np.eye(d))))
    centres = shrunk_means((means - means.mean(axis=0)) @ root, counts, noise=1.0)
    R, X = away @ root, (task.test_X - means.mean(axis=0)) @ root
    z = X @ centres.T - 0.5 * (centres**2).sum(axis=1)
    for x, row in zip(X, z, strict=True):
        if softmax(row).max() > sure:
            continue
        near = np.argsort(-row)[:n_candidates]
        mine = np.isin(task.y, near)
        A = (prior_images * np.eye(d) + R[mine].T @ R[mine]) / (prior_images + (counts[near] - 1).sum())
        w = np.linalg.solve(A, centres[near].T)
        closer = x @ w - 0.5 * (centres[near].T * w).sum(axis=0)
        row[near] += closer - closer.mean() - (row[near] - row[near].mean())
    return np.asarray(z)


@pytest.mark.parametrize(("shots", "dims"), [((5,) * 9, 12), ((3,) * 9, 40), ((9, 3, 1, 2, 5, 4, 6), 12)])
@pytest.mark.parametrize(("n_candidates", "prior_images"), [(2, 100.0), (3, 4.0), (20, 50.0)])
@pytest.mark.parametrize("sure", [0.9, 0.999, 1.0])
def test_scores_are_those_of_dense_covariances(
    shots: tuple[int, ...], dims: int, n_candidates: int, prior_images: float, sure: float
) -> None:
    task = draw_task(shots=shots, dims=dims, text_noise=None)
    head = LocalGDAHead(n_candidates=n_candidates, prior_images=prior_images, sure=sure).fit(task.X, task.y)
    expected = dense_scores(task, n_candidates=n_candidates, prior_images=prior_images, sure=sure)
    assert head.logits(task.test_X) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_it_tells_apart_classes_whose_images_differ_in_their_own_ways() -> None:
    """Two families: what sets the members of the one apart is noise within those of the other."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(8), 120)
    family = y // 4
    X = 0.3 * rng.normal(size=(len(y), 24))
    for own, (telling, noisy) in enumerate([(slice(0, 3), slice(3, 6)), (slice(3, 6), slice(0, 3))]):
        rows = family == own
        X[rows, telling] += rng.normal(size=(8, 3))[y[rows]]
        X[rows, noisy] += 3.0 * rng.normal(size=(rows.sum(), 3))
        X[rows, 6 + own] += 9.0
    support = np.arange(len(y)) % 120 < 16
    pooled, local = (
        LocalGDAHead(n_candidates=4, prior_images=images).fit(X[support], y[support]).score(X[~support], y[~support])
        for images in (1e9, 20.0)
    )
    assert local > pooled + 0.03


def test_a_prior_of_all_images_leaves_the_pooled_covariance() -> None:
    task = draw_task(n_classes=8, shots=6, text_noise=None)
    z = LocalGDAHead(prior_images=1e12).fit(task.X, task.y).logits(task.test_X)
    assert z == pytest.approx(dense_scores(task, n_candidates=1, prior_images=1e12), abs=1e-6)


def test_of_many_images_few_residuals_are_kept() -> None:
    task = draw_task(shots=(200, 20, 1), text_noise=None)
    head = LocalGDAHead().fit(task.X, task.y)
    assert np.bincount(head.residual_class_).tolist() == [MAX_IMAGES, 20, 1]
    assert head.degrees_ == pytest.approx([MAX_IMAGES * (1 - 1 / 200), 19, 0])
    assert head.score(task.test_X, task.test_y) > 0.8


@pytest.mark.parametrize("copies", [1, 3])
def test_classes_without_scatter_leave_finite_scores(copies: int) -> None:
    task = draw_task(shots=1, text_noise=None)
    X, y = np.repeat(task.X, copies, axis=0), np.repeat(task.y, copies)
    head = LocalGDAHead().fit(X, y)
    assert np.isfinite(head.logits(task.test_X)).all()
    assert (head.predict(task.X) == task.y).all()


@pytest.mark.parametrize(("name", "value"), [("n_candidates", 1), ("prior_images", 0.0), ("sure", 0.0), ("sure", 1.1)])
def test_options_that_cannot_be_meant_are_refused(name: str, value: float) -> None:
    task = draw_task()
    with pytest.raises(InputError, match=name):
        LocalGDAHead(**{name: value}).fit(task.X, task.y)
