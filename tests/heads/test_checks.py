"""Refusals name what was expected, what came, and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inkling.errors import InklingError, InputError
from inkling.heads import HEADS, GDAHead, head_class
from inkling.heads.checks import name_some
from tests.heads.samples import draw_task, quick

TASK = draw_task()
assert TASK.text is not None
TEXT = TASK.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_vectors": TEXT[:3]}, r"expected \(4, d\), got \(3, 12\)"),
        ({"text_vectors": TEXT[0]}, r"expected \(4, d\), got \(12,\)"),
        ({"text_vectors": np.full((4, 12), np.inf)}, "infinite"),
        ({"text_vectors": TEXT[:, :9], "embedding_dims": 12}, "embedding has 12 dimensions, the text vectors have 9"),
        ({"text_vectors": np.ones((4, 20))}, "20 dimensions, and X has 12 columns"),
        ({"embedding_dims": 0}, "0 dimensions"),
        ({"classes": [0, 1, 2]}, "does not name: 3"),
        ({"classes": ["0", "1", "2", "3"]}, "does not name: 0, 1, 2, 3"),
        ({"classes": [0, 1, 2, 3, 3]}, "twice"),
        ({"classes": [0, 1, 2, 3, 4, 5]}, "without an image and without a text vector: 4, 5"),
        ({"logit_scale": 0.0}, "logit_scale must be above 0, got 0.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GDAHead(**options).fit(TASK.X, TASK.y)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("auto", "n_folds", 1),
        ("prototype", "shrinkage", 0.0),
        ("prototype", "shrinkage", 1.5),
        ("prototype", "text_pseudo_shots", -1.0),
        ("gda", "alpha", -0.5),
        ("cache", "alpha", -1.0),
        ("cache", "beta", 0.0),
        ("kernel", "beta", -1.0),
        ("kernel", "regularization", 0.0),
        ("kernel", "shrinkage", 0.0),
        ("logistic", "shrinkage", 2.0),
        ("anchored", "max_iterations", 0),
        ("adapter", "steps", -1),
        ("adapter", "learning_rate", 0.0),
    ],
)
def test_options_out_of_range_are_refused(name: str, option: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{option} must be .*, got {value}"):
        HEADS[name](TEXT, **{option: value}).fit(TASK.X, TASK.y)


@pytest.mark.parametrize("name", HEADS)
def test_one_class_is_not_enough(name: str) -> None:
    with pytest.raises(InputError, match="at least two classes"):
        quick(name).fit(TASK.X, np.zeros(len(TASK.y)))


@pytest.mark.parametrize("name", HEADS)
def test_vectors_of_another_width_are_refused_in_prediction(name: str) -> None:
    head = quick(name, TEXT).fit(TASK.X, TASK.y)
    with pytest.raises(ValueError, match="12 features"):
        head.logits(TASK.X[:, :7])


def test_a_refusal_is_an_error_of_inkling_and_a_value_error() -> None:
    with pytest.raises(InklingError) as caught:
        GDAHead(TEXT[:3]).fit(TASK.X, TASK.y)
    assert isinstance(caught.value, ValueError)
    assert caught.value.remedy is not None


def test_an_unknown_head_lists_those_that_there_are() -> None:
    with pytest.raises(InputError, match="There is no head 'gdaa'") as caught:
        head_class("gdaa")
    assert "gda, cache" in str(caught.value)


def test_a_message_names_a_few_labels_and_counts_the_rest() -> None:
    assert name_some(["a", "b"]) == "a, b"
    assert name_some(list(range(8))) == "0, 1, 2, 3, 4 and 3 more"
