"""Wrong labels are counted, though nobody says which they are."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.auditing.label_noise import LabelNoise
from inkling.heads.softmax import softmax
from inkling.types import FloatArray, IntArray


def drawn(
    seed: int, *, share: float, n: int = 3000, n_classes: int = 8, confused: bool = False
) -> tuple[FloatArray, IntArray, np.ndarray]:
    """Logits that are right about images whose classes are drawn by them, twice too flat; labels; which are wrong."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, n_classes))
    z[np.arange(n), rng.integers(0, n_classes, n)] += 7.0
    p = softmax(z)
    right = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    wrong = rng.random(n) < share
    other = (right + rng.integers(1, n_classes, n)) % n_classes
    if confused:
        other = np.where(right % 2, right - 1, right + 1)
    return z / 2.0, np.where(wrong, other, right), wrong


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25])
def test_the_share_of_wrong_labels_is_found(share: float) -> None:
    z, y, wrong = drawn(1, share=share)
    noise = LabelNoise.fit(z, y)
    assert noise.share == pytest.approx(wrong.mean(), rel=0.2)
    assert noise.temperature == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("confused", [False, True])
def test_as_many_are_wrong_as_the_probabilities_say(confused: bool) -> None:
    z, y, wrong = drawn(2, share=0.1, confused=confused)
    p_wrong = LabelNoise.fit(z, y).p_wrong(z, y)
    named = p_wrong > 0.5
    assert p_wrong[named].sum() == pytest.approx(wrong[named].sum(), rel=0.15)
    assert wrong[named].sum() > 0.7 * wrong.sum()


def test_where_all_are_right_next_to_none_is_named() -> None:
    z, y, _ = drawn(3, share=0.0)
    noise = LabelNoise.fit(z, y)
    assert noise.share < 0.01
    assert (noise.p_wrong(z, y) > 0.5).sum() <= 3


def test_a_few_images_say_little() -> None:
    z, y, _ = drawn(4, share=0.0, n=10)
    assert 0.002 < LabelNoise.fit(z, y).share < 0.1


def test_many_images_are_drawn_from() -> None:
    z, y, wrong = drawn(5, share=0.1, n=3000)
    few = LabelNoise.fit(np.tile(z, (100, 1)), np.tile(y, 100))
    assert few.share == pytest.approx(wrong.mean(), rel=0.2)
    assert len(few.p_wrong(z, y)) == 3000


def test_labels_of_two_classes() -> None:
    z, y, wrong = drawn(6, share=0.1, n_classes=2)
    found = LabelNoise.fit(z, y).p_wrong(z, y)
    assert np.isfinite(found).all()
    assert found[wrong].mean() > found[~wrong].mean() + 0.3
