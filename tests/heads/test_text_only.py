"""A class of text alone keeps its images beside classes that have pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.heads import AutoHead, head_from_state
from inkling.heads.softmax import softmax
from inkling.heads.text_only import with_text_only
from inkling.heads.zero_shot import ZeroShotHead
from tests.heads.samples import real_task


@given(seed=st.integers(0, 1000), n_unseen=st.integers(1, 4))
def test_text_decides_whether_and_the_blend_which(seed: int, n_unseen: int) -> None:
    rng = np.random.default_rng(seed)
    z, text = 3 * rng.normal(size=(2, 7, 5))
    unseen = np.isin(np.arange(5), rng.permutation(5)[:n_unseen])
    p, by_text, by_blend = (softmax(one) for one in (with_text_only(z, text, unseen), text, z))
    assert p.sum(axis=1) == pytest.approx(np.ones(7))
    assert p[:, unseen] == pytest.approx(by_text[:, unseen])
    among_seen = by_blend[:, ~unseen] / by_blend[:, ~unseen].sum(axis=1, keepdims=True)
    assert p[:, ~unseen] / p[:, ~unseen].sum(axis=1, keepdims=True) == pytest.approx(among_seen)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("shots", [4, pytest.param(16, marks=pytest.mark.thorough)])
def test_real_classes_of_text_alone_win_their_images_as_zero_shot_does(shared: Path, shots: int) -> None:
    """Each fourth class of Caltech-43 in turn loses its images; the others don't pay for it."""
    task = real_task(shared, "caltech101", shots=shots, with_text=True)
    assert task.text is not None
    classes = list(range(len(task.text)))
    by_text = ZeroShotHead(task.text, classes).fit(task.X, task.y).predict(task.test_X)
    with_images = AutoHead(task.text, classes).fit(task.X, task.y).predict(task.test_X)
    won, won_by_text, kept, kept_with_images = [], [], [], []
    for alone in classes[::4]:
        rows, own = task.y != alone, task.test_y == alone
        head = AutoHead(task.text, classes).fit(task.X[rows], task.y[rows])
        found = head_from_state(head.state()).predict(task.test_X)
        won += (found == task.test_y)[own].tolist()
        won_by_text += (by_text == task.test_y)[own].tolist()
        kept.append((found == task.test_y)[~own].mean())
        kept_with_images.append((with_images == task.test_y)[~own].mean())
    assert np.mean(won) >= np.mean(won_by_text) - 0.02
    assert np.mean(kept) >= np.mean(kept_with_images) - 0.005
