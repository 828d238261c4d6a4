"""The anchored probe: its gradient, its optimum and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import log_softmax, softmax

from inkling.heads import AnchoredHead
from inkling.heads.anchored import anchored_loss
from inkling.types import FloatArray
from tests.heads.samples import Task, draw_task, unit


def setting(seed: int = 0) -> tuple[Task, FloatArray, FloatArray, FloatArray]:
    """A task, its texts, how firmly each class is held, and weights away from the texts."""
    task = draw_task(seed, dims=6)
    assert task.text is not None
    rng = np.random.default_rng(seed)
    return task, task.text, rng.uniform(0.1, 2.0, 4), task.text + 0.3 * rng.normal(size=task.text.shape)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_agrees_with_finite_differences(seed: int) -> None:
    task, text, strength, w = setting(seed)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        return anchored_loss(flat.reshape(w.shape), task.X, task.y, text, strength, 20.0)

    slope = loss(w.ravel())[1]
    assert check_grad(lambda v: loss(v)[0], lambda v: loss(v)[1], w.ravel()) < 1e-5 * np.linalg.norm(slope)


def test_loss_is_cross_entropy_and_the_way_from_the_anchors() -> None:
    task, text, strength, w = setting()
    z = 20.0 * task.X @ unit(w).T
    cross_entropy = -np.mean([log_softmax(row)[k] for row, k in zip(z, task.y, strict=True)])
    away = np.mean([strength[k] * ((w[k] - text[k]) ** 2).sum() for k in range(4)])
    assert anchored_loss(w, task.X, task.y, text, strength, 20.0)[0] == pytest.approx(cross_entropy + away)


def test_a_huge_penalty_holds_the_weights_at_the_texts() -> None:
    task, text, strength, _ = setting()
    slope = anchored_loss(text, task.X, task.y, text, 1e9 * strength, 20.0)[1].reshape(text.shape)
    free = anchored_loss(text, task.X, task.y, text, 0 * strength, 20.0)[1].reshape(text.shape)
    assert slope == pytest.approx(free)
    moved = text - 1e-3 * free
    losses = [anchored_loss(w, task.X, task.y, text, 1e9 * strength, 20.0)[0] for w in (text, moved)]
    assert losses[0] < losses[1]


def test_it_stops_where_the_gradient_is_small() -> None:
    task, text, *_ = setting()
    head = AnchoredHead(text, logit_scale=20.0, max_iterations=1000).fit(task.X, task.y)
    own = softmax(20.0 * task.X @ text.T, axis=1)[np.arange(len(task.y)), task.y]
    strength = np.array([own[task.y == k].mean() for k in range(4)])

    def loss(w: FloatArray) -> float:
        return anchored_loss(w, task.X, task.y, text, strength, 20.0)[0]

    rng = np.random.default_rng(0)
    lengths = np.linalg.norm(text, axis=1, keepdims=True)
    assert loss(head.weights_ * lengths) < loss(text)
    start = np.linalg.norm(anchored_loss(text, task.X, task.y, text, strength, 20.0)[1])
    # The length of w matters to the penalty alone, so the direction is judged at its best length.
    best = head.weights_ * (head.weights_ * text).sum(axis=1, keepdims=True)
    assert np.linalg.norm(anchored_loss(best, task.X, task.y, text, strength, 20.0)[1]) < 0.02 * start
    assert all(loss(best) < loss(best + 0.05 * rng.normal(size=best.shape)) for _ in range(20))


def test_without_text_the_class_means_are_the_anchors() -> None:
    task = draw_task(text_noise=None)
    means = unit(np.stack([task.X[task.y == k].mean(axis=0) for k in range(4)]))
    found = AnchoredHead().fit(task.X, task.y).weights_
    assert found == pytest.approx(AnchoredHead(means).fit(task.X, task.y).weights_, abs=1e-4)
