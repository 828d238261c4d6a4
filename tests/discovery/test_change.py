"""Images that all look different from those of their class are found, and classes that differ are not."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.change import LEAST_IMAGES, LEAST_LEARNED, changed, mean_ranks
from inkling.types import FloatArray

RNG = np.random.default_rng(0)
KNOWN_Y = np.repeat([0, 1, 2], 20)
Y = np.repeat([0, 1, 2], 15)
"""The third class is much brighter than the others."""


def drawn(y: FloatArray, *, shift: float = 0.0) -> FloatArray:
    return np.column_stack([40.0 * y + shift, np.zeros(len(y))]) + RNG.normal(size=(len(y), 2))


def test_ranks_are_those_of_pairwise_comparison() -> None:
    known, measured = np.round(drawn(KNOWN_Y)), np.round(drawn(Y))
    ranks = [
        np.mean([(measured[i, m] > other) + 0.5 * (measured[i, m] == other) for other in known[Y[i] == KNOWN_Y, m]])
        for m in range(2)
        for i in range(len(Y))
    ]
    assert mean_ranks(known, KNOWN_Y, measured, Y) == pytest.approx([np.mean(ranks[:45]), np.mean(ranks[45:])])


@pytest.mark.parametrize(("shift", "sign"), [(0.0, 0), (4.0, 1), (-4.0, -1)])
def test_a_shift_within_classes_is_a_change_and_other_shares_of_classes_are_none(shift: float, sign: int) -> None:
    only_bright = np.full(30, 2)
    ranks = mean_ranks(drawn(KNOWN_Y), KNOWN_Y, drawn(only_bright, shift=shift), only_bright)
    assert changed(ranks).tolist() == [sign, 0]


def test_pictures_that_cannot_be_measured_are_left_out_and_too_few_say_nothing() -> None:
    known, measured = drawn(KNOWN_Y), drawn(Y, shift=9.0)
    measured[0] = np.nan
    assert changed(mean_ranks(known, KNOWN_Y, measured, Y)).tolist() == [1, 0]
    few = slice(0, LEAST_IMAGES)
    assert np.isnan(mean_ranks(known, KNOWN_Y, measured[few], Y[few])).all()
    learned = slice(0, LEAST_LEARNED - 1)
    assert changed(mean_ranks(known[learned], KNOWN_Y[learned], measured, Y)).tolist() == [0, 0]
