"""Each sentence follows from the measures."""

from __future__ import annotations

import numpy as np

from inkling.evaluate.protocol import evaluate_predictions
from inkling.evaluate.results import Comparison, Evaluation
from inkling.reports import wording
from inkling.reports.formats import count, loss, p_value, percent, signed_points
from tests.evaluate.made_up import probabilities


def compared(*, only_head: int, only_zero_shot: int, both: int = 50) -> Comparison:
    n = only_head + only_zero_shot + both
    right, wrong = np.array([0.8, 0.2]), np.array([0.2, 0.8])
    head = np.array([right] * only_head + [wrong] * only_zero_shot + [right] * both)
    zero_shot = np.array([wrong] * only_head + [right] * only_zero_shot + [right] * both)
    comparison = evaluate_predictions(head, np.zeros(n, dtype=int), ["a", "b"], zero_shot_p=zero_shot).zero_shot
    assert comparison is not None
    return comparison


def test_a_clear_gain_a_clear_loss_and_chance_are_distinguished() -> None:
    assert "the exemplars help" in wording.against_zero_shot(compared(only_head=30, only_zero_shot=5))
    loss = wording.against_zero_shot(compared(only_head=5, only_zero_shot=30))
    assert "zero-shot is the better choice" in loss
    assert "points less than" in loss
    assert "can well be chance" in wording.against_zero_shot(compared(only_head=6, only_zero_shot=4))


def test_equal_accuracy_is_not_called_a_difference() -> None:
    said = wording.against_zero_shot(compared(only_head=4, only_zero_shot=4))
    assert "the same share as zero-shot" in said
    assert "points" not in said
    assert "difference" not in said
    assert "exactly the same images" in wording.against_zero_shot(compared(only_head=0, only_zero_shot=0))


def test_the_headline_gives_counts_and_interval() -> None:
    p, y = probabilities(80, 4)
    evaluation = evaluate_predictions(p, y, "abcd")
    said = wording.headline(evaluation)
    assert f"{int((p.argmax(axis=1) == y).sum())} of 80 test images" in said
    assert f"between {100 * evaluation.to_json()['ci95'][0]:.1f} and" in said


def _confident(confidence: float, share_right: float) -> Evaluation:
    p = np.tile([confidence, 1 - confidence], (100, 1))
    y = (np.arange(100) >= 100 * share_right).astype(int)
    return evaluate_predictions(p, y, ["a", "b"])


def test_confidence_is_judged_against_accuracy() -> None:
    assert "surer than it should be" in wording.calibration(_confident(0.95, 0.7), 0.95)
    assert "less sure than it could be" in wording.calibration(_confident(0.6, 0.9), 0.6)
    assert "about as sure" in wording.calibration(_confident(0.8, 0.8), 0.8)


def test_few_images_and_empty_classes_are_said() -> None:
    p, y = probabilities(20, 4)
    small = wording.small_sample(evaluate_predictions(p, y, "abcd"))
    assert small is not None
    assert "5.0 points" in small
    absent = wording.no_images(evaluate_predictions(p, y % 3, "abcd"))
    assert absent is not None
    assert absent.startswith("1 known class has")
    assert wording.small_sample(_confident(0.8, 0.8)) is None
    assert wording.no_images(_confident(0.8, 0.8)) is None


def test_what_calibration_changed_is_reported_where_it_is_known() -> None:
    p, y = probabilities(100, 4)
    logits = 3 * np.log(p)
    before = wording.before_calibration(evaluate_predictions(p, y, "abcd", logits=logits))
    after = evaluate_predictions(p, y, "abcd").scores.calibration
    assert before is not None
    assert before.endswith(f"now they are {percent(after.ece)} and {after.nll:.3f}.")
    assert wording.before_calibration(evaluate_predictions(p, y, "abcd")) is None


def test_numbers_are_written_plainly() -> None:
    assert percent(0.7932) == "79.3\u202f%"
    assert signed_points(0.0421) == "+4.2"
    assert signed_points(-0.0421) == "\u22124.2"
    assert loss(-0.0) == "0.000"
    assert p_value(0.0004) == "p < 0.001"
    assert p_value(0.01234) == "p = 0.012"
    assert p_value(0.5) == "p = 0.50"
    assert count(1, "image") == "1 image"
    assert count(5000, "class", "classes") == "5,000 classes"
