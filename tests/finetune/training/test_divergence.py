"""What counts as diverging, and what is only bad luck."""

from __future__ import annotations

import math

import pytest
import torch

from inkling.finetune.training.divergence import WINDOW, DivergedError, check_finite, check_learning, check_rate

GUESSING = math.log(8)


def check(first: float, latest: list[float]) -> None:
    check_learning([first, *latest], guessing=GUESSING, step=40, rate=0.1)


def test_learning_and_bad_luck_go_on() -> None:
    check(2.0, [1.0] * WINDOW)
    check(0.1, [0.1] * (WINDOW - 1) + [9.0])
    check(5.0, [9.0] * WINDOW)
    check(0.1, [50.0] * (WINDOW - 1))
    check(GUESSING + 0.01, [GUESSING] * WINDOW)
    check(0.3, [GUESSING] * (WINDOW - 1) + [1.9])


@pytest.mark.parametrize(
    ("first", "latest"),
    [(0.3, [4.5] * WINDOW), (5.0, [10.5] * WINDOW), (0.3, [GUESSING] * WINDOW), (4.0, [GUESSING] * WINDOW)],
)
def test_far_above_the_start_or_blind_to_the_images_is_stopped(first: float, latest: list[float]) -> None:
    with pytest.raises(DivergedError, match=r"up to step 40[\s\S]*lower learning rate than 0.1"):
        check(first, latest)


def test_a_rate_that_leaves_nothing_of_the_weights_is_refused() -> None:
    weights = [torch.full((30,), 0.02), torch.full((10,), -0.02)]
    check_rate(0.19, weights)
    with pytest.raises(DivergedError, match=r"weights to train are 0.02 in size[\s\S]*lower learning rate than 0.21"):
        check_rate(0.21, weights)


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.inf), (1.0, math.nan)])
def test_what_is_no_number_is_stopped(loss: float, norm: float) -> None:
    with pytest.raises(DivergedError, match=r"step 5: the .*image 0, .*image 7 and 3 more"):
        check_finite(loss, norm, step=4, paths=[f"image {n}" for n in range(11)], rate=1e-3)
    check_finite(1.0, 1.0, step=4, paths=["image"], rate=1e-3)
