"""The learning rate rises, holds or falls as the recipe says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.finetune.training.schedules import rate_factor


def curve(n_steps: int, *, schedule: str, warmup: float = 0.0) -> list[float]:
    return [rate_factor(step, n_steps, schedule=schedule, warmup=warmup) for step in range(n_steps)]


def test_constant_is_one_throughout() -> None:
    assert curve(7, schedule="constant") == [1.0] * 7


def test_cosine_falls_from_one_towards_zero() -> None:
    assert curve(4, schedule="cosine") == pytest.approx([1.0, 0.853553, 0.5, 0.146447], abs=1e-6)


def test_warm_up_rises_in_equal_parts_and_loses_no_step() -> None:
    assert curve(10, schedule="constant", warmup=0.4)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]


@given(n_steps=st.integers(1, 200), schedule=st.sampled_from(["constant", "cosine"]), warmup=st.floats(0, 0.99))
def test_every_step_learns_and_the_rate_never_rises_after_the_warm_up(
    n_steps: int, schedule: str, warmup: float
) -> None:
    factors = np.array(curve(n_steps, schedule=schedule, warmup=warmup))
    assert ((factors > 0) & (factors <= 1)).all()
    after = factors[round(warmup * n_steps) :]
    assert (np.diff(after) <= 0).all()
