"""The cache of examples, written out as its sum."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.heads import CacheHead
from tests.heads.samples import draw_task


def test_scores_are_zero_shot_and_the_sum_over_examples() -> None:
    task = draw_task(shots=(1, 2, 3, 4))
    assert task.text is not None
    found = CacheHead(task.text, alpha=2.0, beta=3.0).fit(task.X, task.y).logits(task.test_X)
    for z, f in zip(found, task.test_X, strict=True):
        for k in range(4):
            cached = sum(np.exp(-3.0 * (1 - f @ x)) for x in task.X[task.y == k])
            assert z[k] == pytest.approx(100 * f @ task.text[k] + 2.0 * cached)


def test_alpha_zero_is_zero_shot() -> None:
    task = draw_task()
    assert task.text is not None
    found = CacheHead(task.text, alpha=0.0).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(100 * task.test_X @ task.text.T)


def test_a_sharp_cache_without_text_is_the_nearest_example() -> None:
    task = draw_task(text_noise=None)
    nearest = task.y[(task.test_X @ task.X.T).argmax(axis=1)]
    assert (CacheHead(beta=300.0).fit(task.X, task.y).predict(task.test_X) == nearest).all()
