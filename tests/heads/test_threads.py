"""What is fitted side by side is what one thread gives, and a fault is not lost."""

from __future__ import annotations

import os
import warnings
from functools import partial

import numpy as np
import pytest

from inkling.heads import AutoHead
from inkling.heads.threads import SMALL_PROBLEM, at_once
from tests.heads.samples import draw_task


@pytest.mark.parametrize("size", [1, SMALL_PROBLEM + 1])
def test_all_parts_are_done(size: int) -> None:
    done: list[int] = []
    at_once([partial(done.append, number) for number in range(20)], size=size)
    assert sorted(done) == list(range(20))


@pytest.mark.parametrize("size", [1, SMALL_PROBLEM + 1])
def test_a_fault_in_a_part_comes_out(size: int) -> None:
    with pytest.raises(ZeroDivisionError):
        at_once([list, lambda: divmod(1, 0), list], size=size)


def test_auto_is_the_same_on_any_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    task = draw_task(shots=6)
    heads = []
    for cores in (1, 2, 7):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        heads.append(AutoHead(task.text).fit(task.X, task.y))
    for other in heads[1:]:
        np.testing.assert_array_equal(other.logits(task.test_X), heads[0].logits(task.test_X))
        np.testing.assert_array_equal(other.out_of_fold_logits_, heads[0].out_of_fold_logits_)
        assert other.weights_ == heads[0].weights_


def test_filters_of_warnings_stay_as_they_were() -> None:
    task = draw_task(shots=3)
    before = list(warnings.filters)
    for _ in range(5):
        AutoHead(task.text).fit(task.X, task.y)
    assert list(warnings.filters) == before
