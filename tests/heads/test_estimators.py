"""The heads are scikit-learn estimators, by scikit-learn's own checks.

Zero-shot is left out: it takes no part of its rule from the data, and the checks know no text vectors to give it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from inkling.heads import HEADS, GDAHead, Head
from tests.heads.samples import IMAGE_HEADS, draw_task, quick

with warnings.catch_warnings():
    # The base class would be the only reason to load scikit-learn where nothing but scoring is asked for.
    warnings.filterwarnings("ignore", message=".*does not inherit from", category=UserWarning)
    all_checks = parametrize_with_checks([quick(name) for name in IMAGE_HEADS])


@all_checks
def test_scikit_learn_s_checks(estimator: Head, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.parametrize("name", HEADS)
def test_cloning_keeps_options_and_drops_what_was_learned(name: str) -> None:
    task = draw_task()
    head = quick(name, task.text, logit_scale=50.0).fit(task.X, task.y)
    fresh = clone(head)
    assert fresh.logit_scale == 50.0
    assert not hasattr(fresh, "classes_")
    assert fresh.fit(task.X, task.y).score(task.test_X, task.test_y) == head.score(task.test_X, task.test_y)


def test_heads_work_in_pipelines_and_searches() -> None:
    task = draw_task(shots=9, text_noise=None)
    search = GridSearchCV(GDAHead(), {"alpha": [0.5, 1.0]}, cv=3).fit(task.X, task.y)
    pipeline = make_pipeline(FunctionTransformer(), search.best_estimator_)
    assert cross_val_score(pipeline, task.X, task.y, cv=3).mean() > 0.6


@pytest.mark.parametrize("name", HEADS)
def test_a_head_shows_its_options(name: str) -> None:
    assert repr(HEADS[name](logit_scale=50.0)) == f"{HEADS[name].__name__}(logit_scale=50.0)"
