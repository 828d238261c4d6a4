"""Labelled vectors: each label finds its column, and what does not fit together is refused once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.labelled_vectors import NO_CLASS, LabelledVectors, columns_of

X = np.arange(1.0, 13.0).reshape(4, 3)


@given(labels=st.lists(st.integers(-20, 20), min_size=1, max_size=30))
def test_the_class_of_a_column_is_the_label_of_its_rows(labels: list[int]) -> None:
    vectors = LabelledVectors.of(np.ones((len(labels), 2)), labels)
    assert [vectors.classes[k] for k in vectors.y] == labels
    assert list(vectors.classes) == sorted(set(labels))


def test_classes_keep_the_order_that_they_are_given_in() -> None:
    vectors = LabelledVectors.of(X, ["b", "a", "b", "c"], classes=["c", "b", "a"])
    assert vectors.y.tolist() == [1, 2, 1, 0]
    assert vectors.counts.tolist() == [1, 2, 1]


def test_numbers_are_numbers_whatever_library_they_are_of() -> None:
    assert columns_of(np.array([2, 10], dtype=np.uint8), [2, 10]).tolist() == [0, 1]
    assert columns_of([None, 3, 2], [2, 10]).tolist() == [NO_CLASS, NO_CLASS, 0]


def test_views_of_one_image_are_one_shot() -> None:
    vectors = LabelledVectors.of(X, [0, 0, 1, 1], sources=np.array([7, 7, 8, 9]))
    assert vectors.shots.tolist() == [1, 2]
    assert vectors.median_shots == 1.5


@pytest.mark.parametrize("rows", [np.array([3, 1]), np.array([False, True, False, True])])
def test_some_rows_bring_all_that_belongs_to_them(rows: Any) -> None:
    spaces = FoldSpaces(np.arange(4), np.arange(24.0).reshape(2, 4, 3), np.ones((2, 2, 3)))
    vectors = LabelledVectors.of(X, [0, 0, 1, 1], sources=np.array([5, 6, 7, 8])).with_fold_spaces(spaces)
    part = vectors.only(rows)
    expected = np.arange(4)[rows]
    assert part.X.tolist() == X[expected].tolist()
    assert part.sources.tolist() == (5 + expected).tolist()
    assert part.fold_spaces is not None
    assert part.fold_spaces.fold.tolist() == expected.tolist()
    assert part.classes == (0, 1)


def test_a_class_that_is_left_out_takes_its_column_along() -> None:
    text = np.arange(9.0).reshape(3, 3) + 1
    vectors = LabelledVectors.of(X, ["a", "b", "c", "a"], text_vectors=text)
    part = vectors.without_classes(np.array([False, True, False]))
    assert part.classes == ("a", "c")
    assert part.y.tolist() == [0, 1, 0]
    assert part.text_vectors is not None
    assert part.text_vectors.tolist() == text[[0, 2]].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": np.full((4, 3), np.nan)}, "finite"),
        ({"X": np.zeros(4)}, "finite vectors"),
        ({"X": np.array([["a"] * 3] * 4)}, "finite vectors"),
        ({"labels": [0, 1]}, "4 vectors needs one label, got 2"),
        ({"X": np.zeros((0, 3)), "labels": []}, "needs one label"),
        ({"labels": [0, 1, 7, 0], "classes": [0, 1]}, "none of the 2 classes: 7"),
        ({"labels": [0, 1, None, 0], "classes": [0, 1]}, "none of the 2 classes: None"),
        ({"text_vectors": np.zeros((3, 3))}, "each of the 2 classes"),
        ({"text_vectors": np.full((2, 3), np.inf)}, "finite row of text"),
        ({"classes": [0, 1, 2]}, "without an image and without a text vector: 2"),
        ({"classes": [0, 1, 2], "text_vectors": np.full((3, 3), np.nan)}, "without a text vector: 2"),
        ({"embedding_dims": 4}, "columns"),
        ({"sources": np.arange(3)}, "needs one source"),
        ({"logit_scale": 0.0}, "logit_scale"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LabelledVectors.of(**({"X": X, "labels": [0, 0, 1, 1]} | changes))


def test_fold_spaces_of_other_images_are_refused() -> None:
    vectors = LabelledVectors.of(X, [0, 0, 1, 1])
    with pytest.raises(InputError, match="fold spaces must be of 4 images and 2 classes in 3 dimensions"):
        vectors.with_fold_spaces(FoldSpaces(np.zeros(3), np.zeros((2, 3, 3)), np.zeros((2, 2, 3))))
