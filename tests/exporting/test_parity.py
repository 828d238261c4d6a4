"""Figures of how an export compares, and what is refused by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.exporting.parity import TIE, Answers, Expected, compare, expected_answers
from inkling.types import FloatArray
from tests.exporting.drawn_vectors import CLASSES, samples_of_vectors


def expected(*rows: tuple[float, float, float], labels: tuple[str | None, ...] = (), **more: object) -> Expected:
    """Of pictures with these probabilities, unlabelled unless labels are given."""
    n = len(rows)
    column = {name: number for number, name in enumerate(CLASSES)}
    names = labels or (None,) * n
    return Expected(
        paths=tuple("abcdefgh"[:n]),
        probabilities=np.array(rows),
        unknown=np.zeros(n, dtype=bool),
        p_known=np.full(n, 0.5),
        near_tie=np.zeros(n, dtype=bool),
        columns=np.array([column.get(name or "", -1) for name in names]),
        labelled=np.array([name is not None for name in names]),
    )


def found(before: Expected, **changed: object) -> Answers:
    return replace(Answers(before.paths, before.probabilities, before.unknown, before.p_known), **changed)


SURE, OTHER = (0.9, 0.06, 0.04), (0.1, 0.8, 0.1)


def test_equal_answers() -> None:
    before = expected(SURE, OTHER)
    parity = compare(before, found(before))
    assert (parity.pictures, parity.labels_equal, parity.unknown_equal) == (2, 2, 2)
    assert (parity.probability_difference, parity.p_value_difference) == (0, 0)
    assert parity.why_not is None
    assert parity.why_too_lossy(0.0) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"probabilities": np.array([OTHER, OTHER])},
        {"unknown": np.array([True, False])},
        {"p_known": np.array([0.5 + 1e-6, 0.5])},
    ],
)
def test_a_label_a_decision_or_a_p_value_that_differs(changed: dict[str, FloatArray]) -> None:
    before = expected(SURE, OTHER)
    parity = compare(before, found(before, **changed))
    assert parity.differing == ("a",)
    assert "on 1 of 2 pictures: a" in str(parity.why_not)
    tied = replace(before, near_tie=np.array([True, False]))
    listed = compare(tied, found(before, **changed))
    assert (listed.differing, listed.near_ties) == ((), ("a",))


def test_probabilities_may_differ_by_a_thousandth() -> None:
    before = expected(SURE, OTHER)
    away = np.array([[0.0009, -0.0009, 0.0], [0.0, 0.0, 0.0]])
    assert compare(before, found(before, probabilities=before.probabilities + away)).why_not is None
    told = compare(before, found(before, probabilities=before.probabilities + 1.2 * away)).why_not
    assert told == "probabilities differ by up to 0.0011; at most 0.001 is allowed"


def test_what_is_lost_is_counted_by_labels() -> None:
    before = expected(SURE, SURE, SURE, OTHER, labels=("ant", "ant", "bee", "dog"))
    after = found(before, probabilities=np.array([SURE, OTHER, OTHER, SURE]))
    loss = compare(before, after).top1_loss
    assert loss.share == 0  # one lost, one won; the picture of no known class doesn't count
    assert loss.low < 0 < loss.high
    after = found(before, unknown=np.array([True, False, False, True]))
    unknown = compare(before, after).unknown_loss
    assert unknown is not None
    assert unknown.share == 0  # a known one is called unknown, and the unknown one is detected


def test_without_labels_what_differs_is_lost() -> None:
    before = expected(*[SURE] * 7, OTHER)
    after = found(before, probabilities=np.array([SURE] * 6 + [OTHER] * 2), unknown=np.arange(8) < 2)
    parity = compare(before, after)
    assert parity.top1_loss.share == pytest.approx(1 / 8)
    assert parity.unknown_loss is not None
    assert parity.unknown_loss.share == pytest.approx(2 / 8)
    assert "12.50 points of top-1 on 8 pictures" in str(parity.why_too_lossy(12.0))
    assert "25.00 points of decisions on unknown pictures" in str(parity.why_too_lossy(13.0))
    assert parity.why_too_lossy(25.0) is None


@pytest.fixture(scope="module")
def classifier() -> FewShotClassifier:
    samples, entries = samples_of_vectors(shots=20)
    return FewShotClassifier(head="gda", false_alarms=0.1).learn(samples, entries)


def asked(classifier: FewShotClassifier, X: FloatArray) -> Expected:
    n = len(X)
    return expected_answers(classifier.fitted, X, paths=tuple(map(str, range(n))), labels=(None,) * n)


def test_answers_are_the_classifiers(classifier: FewShotClassifier) -> None:
    X = classifier.fitted.samples.X
    found = asked(classifier, X)
    verdicts = classifier.judge_embeddings(X)
    assert [one.unknown for one in verdicts] == list(found.unknown if found.unknown is not None else ())
    assert [one.p_known for one in verdicts] == list(found.p_known if found.p_known is not None else ())
    np.testing.assert_allclose(found.probabilities.max(axis=1), [one.probability for one in verdicts])


def test_near_ties_are_scores_at_those_of_calibration(classifier: FewShotClassifier) -> None:
    detector = classifier.fitted.detector
    assert detector is not None
    X = classifier.fitted.samples.X
    scores = detector.fused_scores(X)
    near = np.abs(scores[:, None] - detector.conformal.calibration).min(axis=1) < TIE
    assert asked(classifier, X).near_tie.tolist() == near.tolist()


def test_near_ties_are_two_equal_probabilities(classifier: FewShotClassifier) -> None:
    bare = replace(classifier.fitted, detector=None)
    low, high = classifier.fitted.samples.X[:1], classifier.fitted.samples.X[-1:]
    for _ in range(60):  # to the border between two classes
        middle = (low + high) / 2
        is_first = bare.fitted_head.probabilities(middle).argmax() == bare.fitted_head.probabilities(low).argmax()
        low, high = (middle, high) if is_first else (low, middle)
    answers = expected_answers(bare, low, paths=("a",), labels=(None,))
    assert answers.near_tie.tolist() == [True]
    assert (answers.unknown, answers.p_known) == (None, None)
