"""Every image by heads that did not see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkling.auditing.held_out import held_out_logits
from inkling.heads.labelled_vectors import LabelledVectors
from tests.heads.samples import draw_task


def vectors(**options: object) -> LabelledVectors:
    task = draw_task(n_classes=4, dims=16, **options)
    return LabelledVectors.of(task.X, task.y.tolist(), text_vectors=task.text)


def test_all_images_have_logits_and_know_their_classes() -> None:
    given = vectors(shots=10, text_noise=None)
    rows, z = held_out_logits(given)
    assert rows.tolist() == list(range(40))
    assert (z.argmax(axis=1) == given.y).mean() > 0.8


def test_an_image_has_no_say_in_its_own_logits() -> None:
    """With the label of one image turned, its own logits hardly move; a head that saw it would follow the label."""
    given = vectors(shots=10, text_noise=None)
    turned = given.y.copy()
    turned[0] = (turned[0] + 1) % 4
    before, after = (held_out_logits(one)[1][0] for one in (given, replace(given, y=turned)))
    assert before.argmax() == after.argmax() == given.y[0]


def test_copies_are_held_out_together() -> None:
    given = vectors(shots=6, text_noise=None)
    doubled = LabelledVectors.of(
        np.tile(given.X, (2, 1)), np.tile(given.y, 2).tolist(), sources=np.tile(np.arange(24), 2)
    )
    turned = doubled.y.copy()
    turned[[0, 24]] = (turned[0] + 1) % 4
    _, z = held_out_logits(replace(doubled, y=turned))
    assert z[0].argmax() == given.y[0]


def test_one_image_a_class_is_judged_by_texts_or_not_at_all() -> None:
    assert len(held_out_logits(vectors(shots=1, text_noise=None))[0]) == 0
    given = vectors(shots=1, text_noise=0.1)
    swapped = replace(given, y=given.y[[1, 0, 2, 3]])
    rows, z = held_out_logits(swapped)
    assert rows.tolist() == [0, 1, 2, 3]
    assert z.argmax(axis=1).tolist() == given.y.tolist()


def test_no_head_learns_from_what_is_left_out() -> None:
    """Half of a class under another label misleads; left out, it does not, and it has logits all the same."""
    given = vectors(shots=10, text_noise=None)
    turned, doubtful = given.y.copy(), np.zeros(40, dtype=bool)
    doubtful[:6], turned[:6] = True, 1
    misled, rid = (held_out_logits(replace(given, y=turned), left_out=out)[1] for out in (None, doubtful))
    assert len(rid) == 40
    assert (rid[doubtful].argmax(axis=1) == 0).mean() > (misled[doubtful].argmax(axis=1) == 0).mean()
    assert (rid.argmax(axis=1) == given.y).mean() > 0.8


@pytest.mark.parametrize("text_noise", [None, 0.5])
def test_a_class_of_which_all_is_left_out(text_noise: float | None) -> None:
    """Without a text it is learned from all the same, since nothing else tells of it."""
    given = vectors(shots=10, text_noise=text_noise)
    rows, z = held_out_logits(given, left_out=given.y == 2)
    assert len(rows) == 40
    assert np.isfinite(z).all()
    assert (z[given.y == 2].argmax(axis=1) == 2).mean() > 0.5
