"""The adapter: its gradient, its limits, and that what it learns serves classes it never saw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from inkling.heads import AdapterHead, ZeroShotHead
from inkling.heads.adapter import adapter_gradient
from inkling.types import FloatArray
from tests.heads.samples import draw_task, unit


@pytest.mark.parametrize("seed", range(3))
def test_gradient_agrees_with_finite_differences(seed: int) -> None:
    task = draw_task(seed, dims=5)
    assert task.text is not None
    text = task.text
    M = np.eye(5) + 0.2 * np.random.default_rng(seed).normal(size=(5, 5))

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        return adapter_gradient(flat.reshape(5, 5), task.X, task.y, text, 20.0, 0.3)

    def slope(flat: FloatArray) -> FloatArray:
        return loss(flat)[1].ravel()

    error = check_grad(lambda flat: loss(flat)[0], slope, M.ravel())
    assert error < 1e-5 * np.linalg.norm(slope(M.ravel()))


def test_no_step_is_zero_shot() -> None:
    task = draw_task()
    expected = ZeroShotHead(task.text).fit(task.X, task.y).logits(task.test_X)
    assert AdapterHead(task.text, steps=0).fit(task.X, task.y).logits(task.test_X) == pytest.approx(expected)


def test_a_huge_penalty_is_zero_shot() -> None:
    task = draw_task(dims=5)
    assert task.text is not None
    free = adapter_gradient(np.eye(5), task.X, task.y, task.text, 20.0, 0.0)[1]
    losses = [
        adapter_gradient(M, task.X, task.y, task.text, 20.0, 1e9)[0] for M in (np.eye(5), np.eye(5) - 1e-3 * free)
    ]
    assert losses[0] < losses[1]


def test_steps_lower_the_loss() -> None:
    task = draw_task()
    assert task.text is not None
    losses = [
        adapter_gradient(
            AdapterHead(task.text, steps=steps).fit(task.X, task.y).map_, task.X, task.y, task.text, 100.0, 1 / 5
        )[0]
        for steps in (0, 30, 300)
    ]
    assert losses[0] > losses[1] > losses[2]


def test_the_map_turns_the_space_for_classes_it_never_saw() -> None:
    """Texts lie in a turned copy of the image space: what six classes show holds for the other six."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(np.eye(8) + 0.5 * rng.normal(size=(8, 8)))[0]
    centres = unit(rng.normal(size=(400, 8)))
    text = centres @ turn
    y = np.repeat(np.arange(200), 2)
    X = unit(centres[y] + 0.02 * rng.normal(size=(400, 8)))
    head = AdapterHead(text[:200], steps=600, learning_rate=5e-3, logit_scale=20.0).fit(X, y)
    unseen = centres[200:]
    before, after = ((unit(unseen @ M) @ text[200:].T).argmax(axis=1) == np.arange(200) for M in (np.eye(8), head.map_))
    assert after.mean() > before.mean() + 0.3


def test_an_image_without_a_vector_does_not_spread_nan() -> None:
    task = draw_task()
    X = task.X.copy()
    X[3] = 0.0
    head = AdapterHead(task.text, steps=5).fit(X, task.y)
    assert np.isfinite(head.logits(X)).all()
