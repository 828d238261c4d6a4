"""The number of new classes lies between what few and what many of the explanations say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkling.discovery import discover
from tests.discovery.samples import Sample, draw_sample


def number_in(sample: Sample) -> tuple[int, int]:
    found = discover(sample.X, sample.p_known, sample.known_X, sample.known_y)
    assert found.number is not None
    assert found.number[0] <= len(found.proposals) <= found.number[1]
    return found.number


@pytest.mark.parametrize("n_new", [1, 3, 6])
def test_the_true_number_lies_between_and_clear_classes_leave_little_doubt(n_new: int) -> None:
    least, most = number_in(draw_sample(n_new=n_new, per_new=15))
    assert least <= n_new <= most <= n_new + 2


def test_doubt_widens_it() -> None:
    clear, noisy = (number_in(draw_sample(n_new=6, noise=noise, seed=4)) for noise in (0.7, 1.3))
    assert noisy[0] <= 6 <= noisy[1]
    assert noisy[1] - noisy[0] > clear[1] - clear[0]


def test_unknown_images_in_no_proposal_may_be_more_classes() -> None:
    sample = draw_sample(n_new=2, per_new=15)
    before = number_in(sample)
    odd = np.random.default_rng(5).normal(size=(20, sample.X.shape[1])).astype(np.float32)
    more = replace(
        sample,
        X=np.concatenate([sample.X, odd]),
        y=np.concatenate([sample.y, np.arange(20) + 100]),
        p_known=np.concatenate([sample.p_known, np.full(20, 0.01)]),
    )
    assert number_in(more)[1] > before[1]


def test_without_proposals_nothing_is_said() -> None:
    sample = draw_sample(n_new=0)
    assert discover(sample.X, sample.p_known, sample.known_X, sample.known_y).number is None
