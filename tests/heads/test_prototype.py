"""Prototypes against the nearest mean written out, and their way towards the text."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads import PrototypeHead
from inkling.heads.prototype import COSINE_SCALE
from tests.heads.samples import draw_task, unit


def test_without_whitening_it_is_the_nearest_mean_of_centred_vectors() -> None:
    task = draw_task(shots=(2, 5, 9, 1), text_noise=None)
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(4)])
    centre = means.mean(axis=0)
    expected = COSINE_SCALE * unit(task.test_X - centre) @ unit(means - centre).T
    assert PrototypeHead(shrinkage=1.0).fit(task.X, task.y).logits(task.test_X) == pytest.approx(expected)


def test_whitening_helps_where_images_of_a_class_differ_in_few_directions() -> None:
    rng = np.random.default_rng(0)
    centres, noise = rng.normal(size=(5, 30)), rng.normal(size=(2, 30))
    y = np.repeat(np.arange(5), 40)
    X = centres[y] + 6 * rng.normal(size=(200, 2)) @ noise + 0.1 * rng.normal(size=(200, 30))
    support = np.arange(200) % 40 < 8
    plain, whitened = (
        PrototypeHead(shrinkage=shrinkage).fit(X[support], y[support]).score(X[~support], y[~support])
        for shrinkage in (1.0, 0.05)
    )
    assert whitened == 1.0
    assert plain < 0.8


@pytest.mark.parametrize(("shots", "shrinkage"), [(1, 0.95), (2, 0.9), (3, 0.7), (4, 0.5), (16, 0.5)])
def test_fewer_shots_are_shrunk_more(shots: int, shrinkage: float) -> None:
    task = draw_task(shots=shots, text_noise=None)
    fixed = PrototypeHead(shrinkage=shrinkage).fit(task.X, task.y)
    assert PrototypeHead().fit(task.X, task.y).prototypes_ == pytest.approx(fixed.prototypes_)


def test_text_that_weighs_nothing_changes_nothing() -> None:
    task = draw_task()
    without = PrototypeHead().fit(task.X, task.y).logits(task.test_X)
    assert PrototypeHead(task.text).fit(task.X, task.y).logits(task.test_X) == pytest.approx(without)


def test_text_that_weighs_everything_takes_the_place_of_the_means() -> None:
    task = draw_task()
    assert task.text is not None
    head = PrototypeHead(task.text, shrinkage=1.0, text_pseudo_shots=1e9).fit(task.X, task.y)
    means = np.stack([task.X[task.y == k].mean(axis=0) for k in range(4)])
    carried = unit(task.text + (unit(means) - task.text).mean(axis=0)) * np.linalg.norm(means, axis=1, keepdims=True)
    assert head.prototypes_ == pytest.approx(unit(carried - means.mean(axis=0)), abs=1e-6)
