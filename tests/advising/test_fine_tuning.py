"""The rule about fine-tuning, case by case."""

from __future__ import annotations

import pytest

from inkling.advising.fine_tuning import FineTuningAdvice, fine_tuning_advice


def told(**changed: object) -> FineTuningAdvice:
    known = {"images": 200, "median_shots": 20.0, "top1": 0.8, "twice": 0.82, "can_train": True}
    return fine_tuning_advice(**{**known, **changed})


def test_a_head_that_errs_and_does_not_gain_by_images_is_worth_a_try() -> None:
    advice = told()
    assert advice.worth_it
    assert "20.0%" in advice.why
    assert advice.cpu_hours > 0


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"median_shots": 4.0}, "can't show a gain"),
        ({"top1": None, "twice": None}, "can't show a gain"),
        ({"top1": 0.99, "twice": 0.99}, "little left"),
        ({"top1": 0.7, "twice": 0.85}, "label first"),
        ({"can_train": False}, "no encoder"),
    ],
)
def test_reasons_against(changed: dict[str, object], why: str) -> None:
    advice = told(**changed)
    assert not advice.worth_it
    assert why in advice.why


def test_time_grows_with_the_images() -> None:
    assert told(images=400).cpu_hours == pytest.approx(2 * told(images=200).cpu_hours)
