"""Advice for a memory, from Python."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inkling import FewShotClassifier, InklingError, advise
from tests.advising.samples import clouds


def fitted(shots: int) -> FewShotClassifier:
    X, y = clouds(shots)
    return FewShotClassifier(head="prototype").fit_embeddings(X.astype(np.float32), y)


def test_all_questions_are_answered() -> None:
    pool, _ = clouds(6, seed=4)
    advice = advise(fitted(8), pool.astype(np.float32), n=5)
    assert [one.times for one in advice.expected] == [1.0, 2.0, 4.0]
    assert (advice.images, advice.median_shots) == (64, 8.0)
    assert len(advice.needs) == 8
    assert not advice.fine_tuning.worth_it
    assert advice.order is not None
    assert [one.rank for one in advice.order] == [1, 2, 3, 4, 5]
    json.dumps(advice.to_json(), allow_nan=False)


def test_one_image_a_class_gives_an_order_and_no_curve() -> None:
    pool, _ = clouds(6, seed=4)
    advice = advise(fitted(1), pool.astype(np.float32))
    assert advice.curve is None
    assert advice.expected == ()
    assert advice.order is not None
    assert len(advice.order) == 48
    json.dumps(advice.to_json(), allow_nan=False)


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(InklingError, match="24 dimensions"):
        advise(fitted(2), np.ones((3, 5), dtype=np.float32))
