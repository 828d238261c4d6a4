"""Kernel ridge regression against the dense system, and its leave-one-out errors against real refits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import solve
from sklearn.kernel_ridge import KernelRidge

from inkling.errors import InputError
from inkling.heads import KernelHead, kernel
from inkling.heads.kernel import RESIDUAL_SCALE
from inkling.heads.support import Support
from inkling.heads.whitening import whitening
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task


def kernels(task: Task, *, beta: float, shrinkage: float) -> tuple[FloatArray, FloatArray]:
    """k of support with support and of test with support."""
    white = whitening(Support(task.X, task.y, len(task.y), task.n_classes, None), shrinkage=shrinkage)
    keys, queries = white(task.X), white(task.test_X)
    return np.exp(-beta * (1 - keys @ keys.T)), np.exp(-beta * (1 - queries @ keys.T))


def test_without_text_it_solves_the_dense_system() -> None:
    task = draw_task(text_noise=None)
    K, k = kernels(task, beta=3.0, shrinkage=0.6)
    A = solve(K + 0.1 * np.eye(len(K)), np.eye(4)[task.y] - 0.25)
    found = KernelHead(regularization=0.1).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(RESIDUAL_SCALE * k @ A)


def test_it_is_scikit_learn_s_kernel_ridge() -> None:
    task = draw_task(text_noise=None)
    K, k = kernels(task, beta=2.0, shrinkage=1.0)
    model = KernelRidge(alpha=0.5, kernel="precomputed").fit(K, np.eye(4)[task.y] - 0.25)
    found = KernelHead(regularization=0.5, beta=2.0, shrinkage=1.0).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(RESIDUAL_SCALE * model.predict(k))


def test_with_text_it_regresses_what_zero_shot_leaves_over() -> None:
    task = draw_task()
    assert task.text is not None
    K, k = kernels(task, beta=3.0, shrinkage=0.6)
    Y, cosines = np.eye(4)[task.y] - 0.25, task.X @ task.text.T
    centred = cosines - cosines.mean(axis=1, keepdims=True)
    fit = np.linalg.lstsq(centred.reshape(-1, 1), Y.ravel())[0][0]
    A = solve(K + 0.1 * np.eye(len(K)), Y - fit * centred)
    found = KernelHead(task.text, regularization=0.1).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(100 * task.test_X @ task.text.T + 100 / fit * k @ A)


def test_a_huge_ridge_is_zero_shot() -> None:
    task = draw_task()
    assert task.text is not None
    found = KernelHead(task.text, regularization=1e9).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(100 * task.test_X @ task.text.T, abs=1e-5)


@pytest.mark.parametrize("ridge", [0.01, 0.1, 1.0])
def test_leave_one_out_errors_are_those_of_real_refits(ridge: float) -> None:
    task = draw_task(text_noise=None)
    K, _ = kernels(task, beta=3.0, shrinkage=0.6)
    Y = np.eye(4)[task.y] - 0.25
    errors = np.empty_like(Y)
    for i in range(len(Y)):
        rest = np.arange(len(Y)) != i
        A = solve(K[np.ix_(rest, rest)] + ridge * np.eye(rest.sum()), Y[rest])
        errors[i] = Y[i] - K[i, rest] @ A
    coefficients, error = kernel._ridge(K, Y, ridge)
    assert error == pytest.approx((errors**2).mean())
    assert coefficients == pytest.approx(solve(K + ridge * np.eye(len(K)), Y))


def test_the_ridge_with_the_least_leave_one_out_error_is_taken() -> None:
    task = draw_task(text_noise=None, spread=1.5)
    K, _ = kernels(task, beta=3.0, shrinkage=0.6)
    Y = np.eye(4)[task.y] - 0.25
    best = min((0.01, 0.1, 1.0), key=lambda ridge: kernel._ridge(K, Y, ridge)[1])
    chosen = KernelHead().fit(task.X, task.y).logits(task.test_X)
    assert chosen == pytest.approx(KernelHead(regularization=best).fit(task.X, task.y).logits(task.test_X))


def test_too_many_examples_are_refused_before_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MAX_EXAMPLES", 10)
    task = draw_task(text_noise=None)
    with pytest.raises(InputError, match="up to 10 examples, got 20"):
        KernelHead().fit(task.X, task.y)
