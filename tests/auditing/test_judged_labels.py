"""Labels are judged twice, the second time without those that were found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inkling.auditing.held_out import held_out_logits
from inkling.auditing.judged_labels import LIKELY, judged_by, judged_labels
from inkling.heads.labelled_vectors import LabelledVectors
from tests.heads.samples import draw_task


def misled(seed: int) -> tuple[LabelledVectors, np.ndarray]:
    """Vectors of four classes, and which labels are wrong: a sixth of each class has the label of the next."""
    task = draw_task(seed, n_classes=4, shots=24, dims=16, spread=0.7, text_noise=None)
    wrong = np.arange(len(task.y)) % 24 < 4
    given = LabelledVectors.of(task.X, task.y.tolist())
    return replace(given, y=np.where(wrong, (given.y + 1) % 4, given.y)), wrong


def test_the_second_look_finds_more() -> None:
    found = {"once": 0, "twice": 0}
    for seed in range(3):
        given, wrong = misled(seed)
        rows, z = held_out_logits(given)
        found["once"] += int(wrong[judged_by(z, given.y[rows], rows).p_wrong >= LIKELY].sum())
        twice = judged_labels(given)
        found["twice"] += int(wrong[twice.p_wrong >= LIKELY].sum())
        assert twice.rows.tolist() == list(range(len(given)))
    assert found["twice"] > found["once"]


def test_where_none_is_doubtful_one_look_is_enough() -> None:
    task = draw_task(3, n_classes=4, shots=12, dims=16, spread=0.3, text_noise=None)
    given = LabelledVectors.of(task.X, task.y.tolist())
    rows, z = held_out_logits(given)
    np.testing.assert_array_equal(judged_labels(given).p_wrong, judged_by(z, given.y[rows], rows).p_wrong)


def test_without_an_image_held_out_nothing_is_judged() -> None:
    task = draw_task(3, n_classes=4, shots=1, dims=16, text_noise=None)
    found = judged_labels(LabelledVectors.of(task.X, task.y.tolist()))
    assert (len(found.rows), found.share_wrong) == (0, 0.0)
