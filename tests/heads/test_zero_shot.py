"""Zero-shot is the cosine to the text, and nothing of the images."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.errors import InputError
from inkling.heads import ZeroShotHead
from tests.heads.samples import draw_task


def test_scores_are_cosines_times_the_logit_scale() -> None:
    task = draw_task()
    assert task.text is not None
    head = ZeroShotHead(3.0 * task.text, logit_scale=20.0).fit(task.X, task.y)
    assert head.logits(5.0 * task.test_X) == pytest.approx(20.0 * task.test_X @ task.text.T)


def test_images_do_not_matter() -> None:
    task = draw_task()
    one, other = (ZeroShotHead(task.text).fit(X, task.y).logits(task.test_X) for X in (task.X, np.flip(task.X, axis=0)))
    assert (one == other).all()


@pytest.mark.parametrize("text", [None, np.full((4, 12), np.nan)])
def test_without_a_text_vector_there_is_nothing_to_classify_by(text: np.ndarray | None) -> None:
    task = draw_task(text_noise=None)
    with pytest.raises(InputError, match="no class has one"):
        ZeroShotHead(text).fit(task.X, task.y)
