"""What holds for every head whatever the task: names, order and length of vectors carry no meaning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.heads import HEADS
from tests.heads.samples import SINGLE_HEADS, Task, draw_task, quick

WITH_TEXT = (*SINGLE_HEADS, "zero-shot")
LOGIT_SCALE = 20.0


def tolerance(name: str) -> float:
    """The anchored loss is not convex: sums in another order end at a slightly different place."""
    return 0.3 if name == "anchored" else 1e-3


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Small tasks, imbalanced, with more and with fewer dimensions than images."""
    return draw_task(
        draw(st.integers(0, 10_000)),
        shots=draw(st.lists(st.integers(1, 5), min_size=2, max_size=5)),
        dims=draw(st.sampled_from([4, 24])),
        text_noise=0.3,
        n_test=12,
    )


@pytest.mark.parametrize("name", WITH_TEXT)
@settings(deadline=None, max_examples=8)
@given(task=tasks(), data=st.data())
def test_permuting_classes_permutes_scores(name: str, task: Task, data: st.DataObject) -> None:
    assert task.text is not None
    place = np.array(data.draw(st.permutations(range(task.n_classes))))
    text = np.empty_like(task.text)
    text[place] = task.text
    original = quick(name, task.text, logit_scale=LOGIT_SCALE).fit(task.X, task.y).logits(task.test_X)
    permuted = quick(name, text, logit_scale=LOGIT_SCALE).fit(task.X, place[task.y]).logits(task.test_X)
    assert permuted[:, place] == pytest.approx(original, rel=1e-3, abs=tolerance(name))


@pytest.mark.parametrize("name", WITH_TEXT)
@settings(deadline=None, max_examples=8)
@given(task=tasks(), data=st.data())
def test_permuting_images_changes_nothing(name: str, task: Task, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(task.y)))))
    original = quick(name, task.text, logit_scale=LOGIT_SCALE).fit(task.X, task.y).logits(task.test_X)
    permuted = quick(name, task.text, logit_scale=LOGIT_SCALE).fit(task.X[order], task.y[order]).logits(task.test_X)
    assert permuted == pytest.approx(original, rel=1e-3, abs=tolerance(name))


@pytest.mark.parametrize("name", HEADS)
@settings(deadline=None, max_examples=8)
@given(task=tasks(), seed=st.integers(0, 99))
def test_the_length_of_a_vector_does_not_matter(name: str, task: Task, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def stretched(X: np.ndarray) -> np.ndarray:
        return X * rng.uniform(0.1, 10.0, size=(len(X), 1))

    assert task.text is not None
    original = quick(name, task.text, logit_scale=LOGIT_SCALE).fit(task.X, task.y).logits(task.test_X)
    scaled = (
        quick(name, stretched(task.text), logit_scale=LOGIT_SCALE)
        .fit(stretched(task.X), task.y)
        .logits(stretched(task.test_X))
    )
    assert scaled == pytest.approx(original, rel=1e-3, abs=tolerance(name))


@pytest.mark.parametrize("name", HEADS)
def test_each_image_is_scored_for_itself(name: str) -> None:
    """Chunks and neighbours leave no trace in the score of an image."""
    task = draw_task(n_test=4100)
    head = quick(name, task.text, logit_scale=LOGIT_SCALE).fit(task.X, task.y)
    together = head.logits(task.test_X)
    for rows in ([0], [4095, 4096], [4099]):
        assert head.logits(task.test_X[rows]) == pytest.approx(together[rows])


@settings(deadline=None, max_examples=10)
@given(task=tasks(), data=st.data())
def test_auto_follows_its_sources_whatever_the_order_of_images(task: Task, data: st.DataObject) -> None:
    sources = np.arange(len(task.y))
    order = np.array(data.draw(st.permutations(range(len(task.y)))))
    original = quick("auto", task.text).fit(task.X, task.y, groups=sources)
    permuted = quick("auto", task.text).fit(task.X[order], task.y[order], groups=sources[order])
    assert permuted.chosen_ == original.chosen_
    assert permuted.logits(task.test_X) == pytest.approx(original.logits(task.test_X), rel=0.02, abs=0.05)
