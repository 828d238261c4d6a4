"""What is held out is spread over the classes and never empties one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.finetune.training.holdout import folds_of, held_out

labels_of_any_sizes = st.lists(st.integers(1, 12), min_size=2, max_size=6).map(
    lambda sizes: np.repeat(np.arange(len(sizes)), sizes)
)


@given(labels=labels_of_any_sizes, share=st.floats(0.01, 0.99), seed=st.integers(0, 9))
def test_each_class_gives_its_share_and_keeps_one(labels: np.ndarray, share: float, seed: int) -> None:
    sizes = np.bincount(labels)
    if sizes.max() == 1:
        with pytest.raises(InputError, match="one image"):
            held_out(labels, share=share, seed=seed)
        return
    out = np.bincount(labels[held_out(labels, share=share, seed=seed)], minlength=len(sizes))
    assert (out <= sizes - 1).all()
    assert (out[sizes > 1] >= 1).all()
    inside = (out > 1) & (out < sizes - 1)
    assert (np.abs(out - share * sizes)[inside] <= 0.5).all()


def test_nothing_is_held_out_where_nothing_is_asked_for() -> None:
    assert not held_out(np.array([0, 1]), share=0.0, seed=0).any()


@given(labels=labels_of_any_sizes, n_folds=st.integers(2, 5), seed=st.integers(0, 9))
def test_folds_are_even_and_the_only_image_of_a_class_stays_in(labels: np.ndarray, n_folds: int, seed: int) -> None:
    fold, sizes = folds_of(labels, n_folds=n_folds, seed=seed), np.bincount(labels)
    if np.median(sizes) < 2:
        assert (fold == -1).all()
        return
    assert ((fold == -1) == (sizes[labels] == 1)).all()
    for label in np.flatnonzero(sizes > 1):
        counts = np.bincount(fold[labels == label], minlength=fold.max() + 1)
        assert counts.max() - counts.min() <= 1
        assert counts.max() < sizes[label]


@given(
    labels=labels_of_any_sizes,
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 9),
    per_picture=st.integers(1, 4),
)
def test_boxes_of_one_picture_share_a_fold_that_empties_no_class(
    labels: np.ndarray, n_folds: int, seed: int, per_picture: int
) -> None:
    sources = np.random.default_rng(seed).permutation(len(labels)) // per_picture
    fold = folds_of(labels, n_folds=n_folds, seed=seed, sources=sources)
    for source in np.unique(sources):
        assert len(np.unique(fold[sources == source])) == 1
    for label in np.unique(labels):
        held = np.unique(fold[labels == label])
        assert len(held) > 1 or held[0] == -1
    numbers = np.unique(fold[fold >= 0])
    assert numbers.tolist() == list(range(len(numbers)))
    assert len(numbers) != 1
    if per_picture == 1:
        np.testing.assert_array_equal(fold, folds_of(labels, n_folds=n_folds, seed=seed))
