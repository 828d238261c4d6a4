"""Wide features of many images, along few directions."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.auditing import narrowed as module
from inkling.auditing.judged_labels import judged_labels
from inkling.auditing.narrowed import narrowed
from inkling.heads.labelled_vectors import LabelledVectors


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WIDTH", 16)


def wide(n: int, *, features: int = 64) -> LabelledVectors:
    """Four classes in 8 of the dimensions of the features; embeddings of length 4 that tell nothing."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 4
    F = 0.3 * rng.normal(size=(n, features)) + np.pad(rng.normal(size=(4, 8)), ((0, 0), (0, features - 8)))[y]
    X = np.hstack([rng.normal(size=(n, 4)), F]).astype(np.float32)
    return LabelledVectors.of(X, y.tolist(), embedding_dims=4)


def test_features_of_many_images_are_narrowed_and_embeddings_stay() -> None:
    given = wide(200)
    found = narrowed(given)
    assert found.X.shape == (200, 4 + 16)
    assert found.X.dtype == np.float32
    assert (found.X[:, :4] == given.X[:, :4]).all()


@pytest.mark.parametrize("given", [wide(60), wide(200, features=16)], ids=["few images", "narrow features"])
def test_others_stay_as_they_are(given: LabelledVectors) -> None:
    assert narrowed(given) is given


def test_wrong_labels_are_found_as_among_all_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    given = wide(200)
    wrong = np.zeros(200, dtype=bool)
    wrong[np.random.default_rng(1).choice(200, 20, replace=False)] = True
    given.y[wrong] = (given.y[wrong] + 1) % 4
    few = judged_labels(given).p_wrong
    monkeypatch.setattr(module, "WIDTH", 64)
    every = judged_labels(given).p_wrong
    assert ((few >= 0.5) == wrong).mean() >= max(0.95, ((every >= 0.5) == wrong).mean() - 0.01)
