"""Dimensions on one scale: what the deviations are, and what they change."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from inkling.heads import AutoHead, PrototypeHead
from inkling.heads.standardization import FLOOR, standardization
from inkling.heads.support import Support, unit_blocks
from tests.heads.samples import Task, draw_task, unit


def support_of(task: Task, *, embedding_dims: int) -> Support:
    return Support(unit_blocks(task.X, embedding_dims), task.y, len(task.y), task.n_classes, None)


def test_one_image_a_class_is_scaled_by_the_deviation_about_the_mean() -> None:
    task = draw_task(n_classes=30, shots=1, text_noise=None)
    space = standardization(support_of(task, embedding_dims=12), embedding_dims=12)
    variances = StandardScaler().fit(task.X).var_
    assert space.mean == pytest.approx(task.X.mean(axis=0))
    assert space.deviations == pytest.approx(np.sqrt(variances / variances.mean() + FLOOR))
    assert space(task.test_X) == pytest.approx(unit((task.test_X - space.mean) / space.deviations))


def test_many_images_are_scaled_by_the_deviation_within_classes() -> None:
    task = draw_task(shots=500, text_noise=None)
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(4)])
    within = ((task.X - means[task.y]) ** 2).mean(axis=0)
    space = standardization(support_of(task, embedding_dims=12), embedding_dims=12)
    assert space.deviations == pytest.approx(np.sqrt(within / within.mean() + FLOOR), rel=0.02)


def test_one_second_image_does_not_overturn_the_deviations() -> None:
    task = draw_task(n_classes=30, shots=1, text_noise=None)
    second = Task(np.vstack([task.X, task.X[:1] + 0.3 * np.eye(12)[:1]]), np.append(task.y, 0), None, task.X, task.y)
    before, after = (
        standardization(support_of(one, embedding_dims=12), embedding_dims=12).deviations for one in (task, second)
    )
    assert after == pytest.approx(before, rel=0.4)


def test_each_block_keeps_its_share() -> None:
    rng = np.random.default_rng(0)
    task = draw_task(text_noise=None)
    X = np.hstack([task.X, rng.normal(size=(len(task.y), 50)) * np.geomspace(0.01, 100, 50)])
    wide = Task(X, task.y, None, X, task.y)
    space = standardization(support_of(wide, embedding_dims=12), embedding_dims=12)
    assert (space.deviations[:12] ** 2).mean() == pytest.approx(1 + FLOOR)
    assert (space.deviations[12:] ** 2).mean() == pytest.approx(1 + FLOOR)


def test_an_embedding_beside_a_feature_weighs_what_is_asked_for() -> None:
    task = draw_task(text_noise=None)
    X = np.hstack([task.X, task.X[:, ::-1]])
    support = support_of(Task(X, task.y, None, X, task.y), embedding_dims=12)
    plain = standardization(support, embedding_dims=12)
    quarter = standardization(support, embedding_dims=12, embedding_weight=0.25)
    assert quarter.deviations == pytest.approx(np.concatenate([4 * plain.deviations[:12], plain.deviations[12:]]))
    alone = support_of(task, embedding_dims=12)
    unweighed = standardization(alone, embedding_dims=12).deviations
    assert standardization(alone, embedding_dims=12, embedding_weight=0.25).deviations == pytest.approx(unweighed)


def test_an_embedding_without_meaning_does_little_harm_beside_a_feature_with_it() -> None:
    rng = np.random.default_rng(0)
    task = draw_task(n_classes=20, shots=4, text_noise=None)
    blind, test_blind = (unit(rng.normal(size=(len(X), 40))) for X in (task.X, task.test_X))
    beside = AutoHead(embedding_dims=40).fit(np.hstack([blind, task.X]), task.y)
    alone = AutoHead().fit(task.X, task.y)
    right = beside.score(np.hstack([test_blind, task.test_X]), task.test_y)
    assert right > alone.score(task.test_X, task.test_y) - 0.02


def test_a_dimension_that_never_varies_stays_finite() -> None:
    X = np.ones((6, 4))
    X[:, 0] = [1, 2, 3, -1, -2, -3]
    space = standardization(Support(unit(X), np.arange(6) % 2, 6, 2, None), embedding_dims=4)
    assert np.isfinite(space(unit(X))).all()
    copies = standardization(Support(np.ones((6, 4)), np.arange(6) % 2, 6, 2, None), embedding_dims=4)
    assert copies.deviations == pytest.approx(np.sqrt(FLOOR))


def test_few_dimensions_that_vary_without_meaning_no_longer_decide() -> None:
    rng = np.random.default_rng(1)
    task = draw_task(n_classes=20, shots=1, dims=40, spread=0.8, text_noise=None)
    loud = np.zeros(40)
    loud[[3, 17]] = 1.0
    X, test_X = (Z + loud * rng.normal(size=Z.shape) for Z in (task.X, task.test_X))
    plain = PrototypeHead(shrinkage=1.0).fit(X, task.y).score(test_X, task.test_y)
    assert AutoHead().fit(X, task.y).score(test_X, task.test_y) > plain + 0.2
