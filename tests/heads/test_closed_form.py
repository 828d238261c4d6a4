"""Heads fitted again from statistics are those that a fit on the examples gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inkling.heads import AutoHead, Head, experts, head_class, head_from_state
from inkling.heads.closed_form import in_both_spaces, is_closed_form, refit_from_statistics, statistics_of
from inkling.types import FloatArray, IntArray

D, F, CLASSES = 8, 4, 6


@pytest.fixture
def task() -> tuple[FloatArray, IntArray, FloatArray]:
    """Examples, labels, texts; the fourth class has no text."""
    rng = np.random.default_rng(3)
    y = np.arange(240) % CLASSES
    centres = rng.standard_normal((CLASSES, D + F))
    text = centres[:, :D] + rng.standard_normal((CLASSES, D))
    text[3] = np.nan
    return (rng.standard_normal((240, D + F)) + 2 * centres[y]).astype(np.float32), y, text


def _fitted(name: str, X: FloatArray, y: IntArray, text: FloatArray | None) -> Head:
    n = int(y.max()) + 1 if text is None else len(text)
    return head_class(name)(text_vectors=text, classes=list(range(n)), embedding_dims=D).fit(X, y)


@pytest.mark.parametrize("name", ["gda", "prototype", "zero-shot"])
def test_a_class_more_is_as_if_fitted_with_it(name: str, task: tuple[FloatArray, IntArray, FloatArray]) -> None:
    X, y, text = task
    old = y < CLASSES - 1
    head = _fitted(name, X[old], y[old], text[:-1])
    known = statistics_of(head, X[old], y[old], CLASSES - 1)
    more = known.with_class().with_examples(CLASSES - 1, *in_both_spaces(head, X[~old]))
    again = refit_from_statistics(head, more, text)
    assert_allclose(again.logits(X), _fitted(name, X, y, text).logits(X), rtol=1e-4, atol=1e-4)
    back = more.without_class(CLASSES - 1, in_both_spaces(head, X[~old])[1])
    assert_allclose(refit_from_statistics(head, back, text[:-1]).logits(X), head.logits(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["gda", "prototype", "zero-shot"])
def test_a_class_without_images_is_known_by_its_text(name: str, task: tuple[FloatArray, IntArray, FloatArray]) -> None:
    X, y, text = task
    old = y < CLASSES - 1
    head = _fitted(name, X[old], y[old], text[:-1])
    again = refit_from_statistics(head, statistics_of(head, X[old], y[old], CLASSES - 1).with_class(), text)
    assert_allclose(again.logits(X), _fitted(name, X[old], y[old], text).logits(X), rtol=1e-3, atol=1e-3)


def test_the_chooser_keeps_its_weights_and_space(
    task: tuple[FloatArray, IntArray, FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, text = task
    monkeypatch.setattr(experts, "MAX_LOCAL_WORK", 0)
    head = _fitted("auto", X, y, text)
    assert isinstance(head, AutoHead)
    assert is_closed_form(head)
    again = refit_from_statistics(head, statistics_of(head, X, y, CLASSES), text)
    assert_allclose(again.logits(X), head.logits(X), rtol=1e-4, atol=1e-4)
    assert_array_equal(head_from_state(again.state()).logits(X), again.logits(X))


@pytest.mark.parametrize("name", ["logistic", "cache", "kernel", "auto"])
def test_other_heads_need_their_examples(name: str, task: tuple[FloatArray, IntArray, FloatArray]) -> None:
    head = _fitted(name, *task)
    if isinstance(head, AutoHead):
        assert "logistic" in head.experts_
    assert not is_closed_form(head)
