"""Unlabelled images in class means and scatter."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from inkling.heads.support import Support, unit_rows
from inkling.heads.transductive import TransductiveSupport, alike, transductive_support
from inkling.types import FloatArray, IntArray

CLASSES, D = 5, 40
COMMON = 2.0
"""What all images share, as those of a trained encoder do."""


def _task(per_class: int, *, seed: int, spread: float = 1.5) -> tuple[FloatArray, IntArray]:
    centres = COMMON + np.random.default_rng(0).standard_normal((CLASSES, D))
    y = np.repeat(np.arange(CLASSES), per_class)
    return unit_rows(centres[y] + spread * np.random.default_rng(seed).standard_normal((len(y), D))), y


def _joined(support: Support, unlabelled: FloatArray) -> TransductiveSupport:
    return transductive_support(support, unlabelled, shrinkage=0.98, text_logits=None, text_weight=1.0)


@pytest.fixture
def support() -> Support:
    """One image a class."""
    X, y = _task(1, seed=1)
    return Support(X, y, len(X), CLASSES, None)


def test_means_and_scatter_are_those_of_the_formulas(support: Support) -> None:
    rng = np.random.default_rng(3)
    unlabelled, _ = _task(6, seed=2)
    shares = rng.dirichlet(np.ones(CLASSES), len(unlabelled))
    found = TransductiveSupport(support.X, support.y, support.n_real, CLASSES, None, unlabelled, shares)
    for k in range(CLASSES):
        weighed = support.X[support.y == k].sum(axis=0) + sum(
            share * row for share, row in zip(shares[:, k], unlabelled, strict=True)
        )
        assert_allclose(found.means[k], weighed / (1 + shares[:, k].sum()), atol=1e-12)
    residuals = [x - found.means[k] for x, k in zip(support.X, support.y, strict=True)]
    residuals += [x - share @ found.means for x, share in zip(unlabelled, shares, strict=True)]
    U, e = found.scatter.directions, found.scatter.eigenvalues
    assert_allclose((U * e) @ U.T, np.transpose(residuals) @ residuals, atol=1e-8)
    assert_allclose(found.counts.sum(), len(support.X) + len(unlabelled))


def test_a_pool_brings_means_nearer_to_those_of_many_images(support: Support) -> None:
    many, many_y = _task(2_000, seed=9)
    truth = np.stack([many[many_y == k].mean(axis=0) for k in range(CLASSES)])
    found = _joined(support, _task(40, seed=2)[0])
    assert (np.linalg.norm(found.means - truth, axis=1) < 0.5 * np.linalg.norm(support.means - truth, axis=1)).all()


def test_presence_is_the_share_of_classes_that_are_there(support: Support) -> None:
    unlabelled, y = _task(40, seed=2, spread=0.3)
    assert _joined(support, unlabelled).presence > 0.95
    assert _joined(support, unlabelled[y < 2]).presence == pytest.approx(2 / CLASSES, abs=0.05)
    assert _joined(support, unlabelled[:0]).presence == 0


def test_an_empty_pool_changes_nothing(support: Support) -> None:
    found = _joined(support, np.zeros((0, D)))
    assert_allclose(found.means, support.means)


def test_texts_share_out_what_images_cannot_tell(support: Support) -> None:
    unlabelled, y = _task(30, seed=2, spread=8.0)
    told = 20.0 * np.eye(CLASSES)[y]
    found = transductive_support(support, unlabelled, shrinkage=0.98, text_logits=told, text_weight=0.2)
    assert (
        (found.shares.argmax(axis=1) == y).mean()
        > 0.99
        > (_joined(support, unlabelled).shares.argmax(axis=1) == y).mean()
    )


def test_images_like_none_and_copies_are_found(support: Support) -> None:
    unlabelled, _ = _task(20, seed=2, spread=0.3)
    foreign = unit_rows(np.random.default_rng(5).standard_normal((50, D)))
    found = alike(np.concatenate([unlabelled, foreign, support.X]), support)
    assert found[: len(unlabelled)].all()
    assert not found[len(unlabelled) :].any()
    assert alike(unlabelled[:0], support).shape == (0,)
