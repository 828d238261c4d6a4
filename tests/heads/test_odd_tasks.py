"""Tasks as users have them: uneven, half named, with two blocks of columns, with labels of any kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from inkling.heads import HEADS, LogisticHead, PrototypeHead
from inkling.heads.support import complete_support
from tests.heads.samples import IMAGE_HEADS, draw_task, quick, unit


@pytest.mark.parametrize("name", IMAGE_HEADS)
@pytest.mark.parametrize("with_text", [True, False])
def test_imbalanced_classes_and_one_image_in_a_class(name: str, with_text: bool) -> None:
    task = draw_task(2, shots=(1, 2, 40, 7), spread=0.4, text_noise=0.5 if with_text else None)
    head = quick(name, task.text).fit(task.X, task.y)
    predicted = head.predict(task.test_X)
    assert (predicted == task.test_y).mean() > 0.85
    assert (predicted[task.test_y == 0] == 0).mean() > 0.5


@pytest.mark.parametrize("name", HEADS)
def test_a_class_with_text_and_no_image_is_recognised(name: str) -> None:
    task = draw_task(spread=0.4, text_noise=0.3)
    seen = task.y != 3
    head = quick(name, task.text, classes=[0, 1, 2, 3]).fit(task.X[seen], task.y[seen])
    assert head.classes_.tolist() == [0, 1, 2, 3]
    predicted = head.predict(task.test_X)
    assert (predicted[task.test_y == 3] == 3).mean() > 0.6
    assert (predicted == task.test_y).mean() > 0.8


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_a_class_with_images_and_no_text_takes_part_through_them(name: str, missing: float) -> None:
    task = draw_task(spread=0.4, text_noise=0.3)
    assert task.text is not None
    text = task.text.copy()
    text[1] = missing
    predicted = quick(name, text).fit(task.X, task.y).predict(task.test_X)
    assert (predicted[task.test_y == 1] == 1).mean() > 0.8
    assert (predicted == task.test_y).mean() > 0.8


def test_one_class_lacks_images_and_another_its_text() -> None:
    task = draw_task(spread=0.4, text_noise=0.3)
    assert task.text is not None
    text, seen = task.text.copy(), task.y != 0
    text[3] = np.nan
    for name in HEADS:
        head = quick(name, text, classes=[0, 1, 2, 3]).fit(task.X[seen], task.y[seen])
        assert head.score(task.test_X, task.test_y) > 0.7, name


def test_stand_ins_cross_the_gap_between_images_and_texts() -> None:
    """A gap that is the same for all classes is carried exactly."""
    rng = np.random.default_rng(0)
    centres, gap = unit(rng.normal(size=(3, 6))), 0.1 * rng.normal(size=6)
    text = unit(centres - gap)
    support = complete_support(centres[[0, 1]], np.array([0, 1]), text, 3, 6)
    assert support.n_real == 2
    assert support.y.tolist() == [0, 1, 2]
    assert support.X[2] @ centres[2] > 0.99 > text[2] @ centres[2]


@pytest.mark.parametrize("name", IMAGE_HEADS)
def test_without_any_text_vector_the_images_decide(name: str) -> None:
    task = draw_task(text_noise=None)
    without = quick(name).fit(task.X, task.y).logits(task.test_X)
    named = quick(name, np.full((4, 12), np.nan)).fit(task.X, task.y).logits(task.test_X)
    assert named == pytest.approx(without)


@pytest.mark.parametrize("name", HEADS)
def test_two_classes(name: str) -> None:
    task = draw_task(1, n_classes=2, spread=0.5)
    head = quick(name, task.text).fit(task.X, task.y)
    z = head.logits(task.test_X)
    assert z.shape == (len(task.test_y), 2)
    assert head.decision_function(task.test_X) == pytest.approx(z[:, 1] - z[:, 0])
    assert head.predict_proba(task.test_X).sum(axis=1) == pytest.approx(1.0)
    assert head.score(task.test_X, task.test_y) > 0.85


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("labels", [["b", "a", "d", "c"], [10, -3, 7, 0], [True, False]])
def test_labels_of_any_kind_come_back(name: str, labels: list[object]) -> None:
    task = draw_task(n_classes=len(labels), spread=0.3)
    assert task.text is not None
    named = np.array(labels)
    order = np.argsort(named)
    head = quick(name, task.text[order]).fit(task.X, named[task.y])
    assert head.classes_.tolist() == sorted(labels)
    assert (head.predict(task.test_X) == named[task.test_y]).mean() > 0.9


@pytest.mark.parametrize("name", HEADS)
def test_text_rows_are_matched_by_their_names_in_whatever_order(name: str) -> None:
    task = draw_task()
    assert task.text is not None
    expected = quick(name, task.text, classes=[0, 1, 2, 3]).fit(task.X, task.y).logits(task.test_X)
    shuffled = quick(name, task.text[[2, 0, 3, 1]], classes=[2, 0, 3, 1]).fit(task.X, task.y)
    assert shuffled.logits(task.test_X) == pytest.approx(expected)


class TestTwoBlocks:
    """An embedding that texts share, and a feature that only images have."""

    task = draw_task(spread=1.2)
    feature = draw_task(5, spread=0.3, dims=7)

    def blocks(self, *, feature_scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        return (
            np.hstack([self.task.X, feature_scale * self.feature.X]),
            np.hstack([self.task.test_X, feature_scale * self.feature.test_X]),
        )

    @pytest.mark.parametrize("name", ["prototype", "gda", "cache", "kernel", "logistic", "auto"])
    def test_a_feature_that_tells_more_is_used(self, name: str) -> None:
        X, test_X = self.blocks()
        options = {"alpha": 50.0} if name == "cache" else {}
        both = quick(name, self.task.text, **options).fit(X, self.task.y).score(test_X, self.task.test_y)
        alone = quick(name, self.task.text, **options).fit(self.task.X, self.task.y)
        assert both > alone.score(self.task.test_X, self.task.test_y) + 0.05

    @pytest.mark.parametrize("name", ["zero-shot", "anchored", "adapter"])
    def test_heads_in_the_space_of_texts_leave_the_feature_out(self, name: str) -> None:
        X, test_X = self.blocks()
        both = quick(name, self.task.text).fit(X, self.task.y).logits(test_X)
        alone = quick(name, self.task.text).fit(self.task.X, self.task.y).logits(self.task.test_X)
        assert both == pytest.approx(alone)

    @pytest.mark.parametrize("name", HEADS)
    def test_the_units_of_the_feature_do_not_matter(self, name: str) -> None:
        X, test_X = self.blocks()
        scaled_X, scaled_test_X = self.blocks(feature_scale=1000.0)
        expected = quick(name, self.task.text).fit(X, self.task.y).logits(test_X)
        scaled = quick(name, self.task.text).fit(scaled_X, self.task.y).logits(scaled_test_X)
        assert scaled == pytest.approx(expected)

    def test_without_text_the_width_of_the_embedding_is_reported(self) -> None:
        X, _ = self.blocks(feature_scale=1000.0)
        equal, lopsided = (
            PrototypeHead(shrinkage=1.0, embedding_dims=dims).fit(X, self.task.y).prototypes_ for dims in (12, None)
        )
        assert np.linalg.norm(equal[:, :12]) > 0.3 * np.linalg.norm(equal)
        assert np.linalg.norm(lopsided[:, :12]) < 0.01 * np.linalg.norm(lopsided)


def test_identical_images_everywhere_leave_finite_scores() -> None:
    for name in IMAGE_HEADS:
        head = quick(name).fit(np.ones((8, 5)), np.arange(8) % 2)
        assert np.isfinite(head.logits(np.ones((2, 5)))).all(), name


@pytest.mark.parametrize("name", HEADS)
def test_single_precision_gives_the_same_answers(name: str) -> None:
    task = draw_task()
    double = quick(name, task.text).fit(task.X, task.y)
    single = quick(name, task.text).fit(task.X.astype(np.float32), task.y)
    assert single.logits(task.test_X.astype(np.float32)) == pytest.approx(double.logits(task.test_X), rel=0.02, abs=0.1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", HEADS)
def test_many_classes_of_one_image_raise_no_doubts(name: str) -> None:
    task = draw_task(n_classes=40, shots=1)
    quick(name, task.text).fit(task.X, task.y)


def test_columns_with_names_are_welcome() -> None:
    task = draw_task(text_noise=None)
    frame = pd.DataFrame(task.X, columns=[f"c{i}" for i in range(12)])
    head = LogisticHead().fit(frame, task.y)
    assert all(array.dtype != object for array in head.state().arrays.values())
