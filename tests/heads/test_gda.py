"""GDA against the same rule with everything of size d x d written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from inkling.heads import GDAHead
from inkling.heads.gda import PUBLISHED_ALPHA
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task


def dense_gda(task: Task) -> FloatArray:
    """W_k.f + b_k of the test images, with P = d [(n-1) S + tr(S) I]^-1 as a dense inverse."""
    n, d = task.X.shape
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(task.n_classes)])
    S = (task.X - means[task.y]).T @ (task.X - means[task.y]) / (n - 1)
    P = d * np.linalg.inv((n - 1) * S + np.trace(S) * np.eye(d))
    return np.asarray(task.test_X @ P @ means.T - 0.5 * np.einsum("kd,de,ke->k", means, P, means))


@pytest.mark.parametrize(("shots", "dims"), [(5, 12), (2, 40), ((9, 3, 1, 2), 12)])
def test_scores_are_those_of_the_dense_inverse(shots: int | tuple[int, ...], dims: int) -> None:
    task = draw_task(shots=shots, dims=dims, text_noise=None)
    assert GDAHead().fit(task.X, task.y).logits(task.test_X) == pytest.approx(dense_gda(task), rel=1e-8)


def test_text_adds_the_zero_shot_scores() -> None:
    task = draw_task()
    assert task.text is not None
    z = GDAHead(task.text, alpha=0.3).fit(task.X, task.y).logits(task.test_X)
    assert z == pytest.approx(100 * task.test_X @ task.text.T + 0.3 * dense_gda(task), rel=1e-8)


def test_alpha_zero_is_zero_shot() -> None:
    task = draw_task()
    assert task.text is not None
    z = GDAHead(task.text, alpha=0.0).fit(task.X, task.y).logits(task.test_X)
    assert z == pytest.approx(100 * task.test_X @ task.text.T)


@pytest.mark.parametrize(("shots", "alpha"), [(1, 0.01), (3, 0.1), (4, 1.0), (40, 10.0)])
def test_the_published_weight_for_the_number_of_shots_is_taken(shots: int, alpha: float) -> None:
    task = draw_task(shots=shots)
    assert GDAHead(task.text).fit(task.X, task.y).alpha_ == alpha
    assert alpha in PUBLISHED_ALPHA.values()


def test_with_many_images_it_is_linear_discriminant_analysis() -> None:
    task = draw_task(shots=500, dims=6, spread=1.0, text_noise=None)
    expected = LinearDiscriminantAnalysis(solver="lsqr").fit(task.X, task.y).predict(task.test_X)
    assert (GDAHead().fit(task.X, task.y).predict(task.test_X) == expected).mean() > 0.98


def test_posterior_scores_are_those_of_the_gaussian_model() -> None:
    task = draw_task(shots=9, text_noise=None)
    n, d = task.X.shape
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(4)])
    S = (task.X - means[task.y]).T @ (task.X - means[task.y]) / (n - 1)
    shrunk = S + np.trace(S) / (n - 1) * np.eye(d)
    densities = np.stack([multivariate_normal(mean, shrunk).logpdf(task.test_X) for mean in means], axis=1)
    z = GDAHead(posterior=True).fit(task.X, task.y).logits(task.test_X)
    assert z - z[:, :1] == pytest.approx(densities - densities[:, :1])


def test_the_number_of_images_of_a_class_is_no_evidence_for_it() -> None:
    """With S and the means the same, more copies of one class must not draw images to it."""
    task = draw_task(shots=4, text_noise=None)
    copies = np.concatenate([np.arange(len(task.y)), np.repeat(np.flatnonzero(task.y == 0), 4)])
    even = GDAHead().fit(task.X, task.y)
    uneven = GDAHead().fit(task.X[copies], task.y[copies])
    shift = (uneven.predict(task.test_X) == 0).mean() - (even.predict(task.test_X) == 0).mean()
    assert abs(shift) < 0.03


def test_copies_of_one_image_leave_finite_scores() -> None:
    task = draw_task(shots=1, text_noise=None)
    X, y = np.repeat(task.X, 3, axis=0), np.repeat(task.y, 3)
    head = GDAHead().fit(X, y)
    assert np.isfinite(head.logits(task.test_X)).all()
    assert (head.predict(task.X) == task.y).all()
