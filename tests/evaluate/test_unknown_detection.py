"""What a detector makes of test images, counted by hand."""

from __future__ import annotations

import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from inkling.evaluate.unknown_detection import UnknownDetection, measure_unknown_detection
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.reports import wording
from inkling.unknown import UnknownDetector
from tests.unknown.samples import OpenTask, open_task


@pytest.fixture(scope="module")
def task() -> OpenTask:
    return open_task(spread=0.7, shots=12)


@pytest.fixture(scope="module")
def detector(task: OpenTask) -> UnknownDetector:
    return UnknownDetector.fit(LabelledVectors.of(task.X, task.y), false_alarms=0.1)


@pytest.fixture(scope="module")
def found(task: OpenTask, detector: UnknownDetector) -> UnknownDetection:
    return measure_unknown_detection(detector, task.test_X[~task.unknown], task.test_X[task.unknown])


def test_shares_are_those_of_the_verdicts(task: OpenTask, detector: UnknownDetector, found: UnknownDetection) -> None:
    told = detector.is_unknown(task.test_X)
    assert found.detected is not None
    assert found.false_alarms.value == told[~task.unknown].mean()
    assert found.detected.value == told[task.unknown].mean()
    assert (found.false_alarms.n, found.detected.n) == ((~task.unknown).sum(), task.unknown.sum())
    assert found.false_alarms.interval.low < found.false_alarms.value < found.false_alarms.interval.high
    assert found.requested == 0.1


def test_order_is_measured_as_elsewhere(task: OpenTask, detector: UnknownDetector, found: UnknownDetection) -> None:
    score = detector.fused_scores(task.test_X)
    assert found.auroc == pytest.approx(roc_auc_score(task.unknown, score))
    false_positives, true_positives, _ = roc_curve(task.unknown, score, drop_intermediate=False)
    assert found.fpr95 == pytest.approx(false_positives[true_positives >= 0.95][0], abs=0.01)


def test_fewer_images_leave_more_room(task: OpenTask, detector: UnknownDetector, found: UnknownDetection) -> None:
    known = task.test_X[~task.unknown]
    few = measure_unknown_detection(detector, known[:20], known[:0])
    assert few.expected.low <= found.expected.low
    assert few.expected.high > found.expected.high
    assert (few.detected, few.auroc, few.fpr95) == (None, None, None)


def test_sentences_follow_from_the_figures(task: OpenTask, detector: UnknownDetector, found: UnknownDetection) -> None:
    assert "That is what to expect: 10.0" in wording.false_alarms(found)
    assert f"Of {int(task.unknown.sum())} images of other classes" in wording.detected(found)
    all_unknown = measure_unknown_detection(detector, task.test_X[task.unknown], task.test_X[:0])
    assert "more than to be expected" in wording.false_alarms(all_unknown)
    assert "No test image is of another class" in wording.detected(all_unknown)


def test_plain_values_hold_all(found: UnknownDetection) -> None:
    told = found.to_json()
    assert told["expected"] == [found.expected.low, found.expected.high]
    assert found.detected is not None
    assert told["detected"]["share"] == found.detected.value
    assert told["detected"]["ci95"][0] < told["detected"]["share"]
    assert told["false_alarms"]["n"] == found.false_alarms.n
    assert set(told) == {"requested", "expected", "as_expected", "false_alarms", "detected", "auroc", "fpr95"}
