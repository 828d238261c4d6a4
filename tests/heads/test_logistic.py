"""The logistic baseline is scikit-learn's."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LogisticRegression

from inkling.heads import LogisticHead
from inkling.heads.support import Support
from inkling.heads.whitening import whitening
from tests.heads.samples import draw_task


@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_are_those_of_scikit_learn(n_classes: int) -> None:
    task = draw_task(n_classes=n_classes, text_noise=None)
    expected = LogisticRegression(C=10.0, max_iter=1000).fit(task.X, task.y).predict_proba(task.test_X)
    assert LogisticHead().fit(task.X, task.y).predict_proba(task.test_X) == pytest.approx(expected)


def test_in_the_whitened_space_it_is_scikit_learn_s_on_whitened_vectors() -> None:
    task = draw_task(text_noise=None)
    white = whitening(Support(task.X, task.y, len(task.y), 4, None), shrinkage=0.6)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(white(task.X), task.y)
    found = LogisticHead(shrinkage=0.6).fit(task.X, task.y).logits(task.test_X)
    assert found == pytest.approx(model.decision_function(white(task.test_X)))


def test_text_serves_only_classes_without_images() -> None:
    task = draw_task()
    without = LogisticHead().fit(task.X, task.y).logits(task.test_X)
    assert LogisticHead(task.text).fit(task.X, task.y).logits(task.test_X) == pytest.approx(without)
