"""The detector as a whole: what it promises, what it keeps, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkling.errors import InputError
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import HeadState
from inkling.unknown import SCORES, Negatives, UnknownDetector
from inkling.unknown.fusion import auroc
from tests.heads.samples import draw_task, real_task, unit
from tests.unknown.samples import DIMS, OpenTask, Tuned, open_task, tuned_task


def fitted(task: OpenTask, **options: Any) -> UnknownDetector:
    return UnknownDetector.fit(task.vectors(), **options)


def test_unknown_images_score_higher_than_known_ones() -> None:
    task = open_task(spread=0.5, shots=12)
    detector = fitted(task)
    score, told = detector.fused_scores(task.test_X), detector.is_unknown(task.test_X)
    assert auroc(score[task.unknown], score[~task.unknown]) > 0.95
    assert told[task.unknown].mean() > 0.7
    assert told[~task.unknown].mean() < 0.15


def test_of_more_classes_than_images_are_looked_at_some_are_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image of each class would leave nothing to learn it from."""
    task = open_task(shots=8)
    monkeypatch.setattr("inkling.unknown.task.MAX_IMAGES", task.vectors().n_classes)
    assert len(fitted(task).conformal.calibration) >= 19


def test_p_and_verdict_agree() -> None:
    task = open_task()
    detector = fitted(task, false_alarms=0.1)
    assert (detector.is_unknown(task.test_X) == (detector.p_known(task.test_X) <= 0.1)).all()


def test_realised_false_alarms_keep_the_promise() -> None:
    """Over many draws the share inside the 90 % range is what it should be; a fold has nearly the whole support."""
    inside, rates = [], []
    for seed in range(40):
        drawn = draw_task(seed, n_classes=5, shots=16, dims=DIMS, spread=0.8, text_noise=None, n_test=300)
        detector = UnknownDetector.fit(LabelledVectors.of(drawn.X, drawn.y), false_alarms=0.1, seed=seed)
        rate = detector.is_unknown(drawn.test_X).mean()
        told = detector.conformal.rate_range(0.1, n_images=300)
        rates.append(rate)
        inside.append(told.low <= rate <= told.high)
    assert np.mean(rates) == pytest.approx(0.095, abs=0.025)
    assert np.mean(inside) >= 0.75


def test_with_few_shots_it_errs_on_the_safe_side_and_says_so() -> None:
    rates = []
    for seed in range(10):
        drawn = draw_task(seed, n_classes=10, shots=3, dims=DIMS, text_noise=None, n_test=200)
        detector = UnknownDetector.fit(LabelledVectors.of(drawn.X, drawn.y), false_alarms=0.1, seed=seed)
        rates.append(detector.is_unknown(drawn.test_X).mean())
    assert np.mean(rates) < 0.1
    assert "at most" in detector.finding
    assert detector.realised.low == 0.0


def test_p_values_of_two_images_a_class_make_up_for_the_one_that_was_held_out() -> None:
    """A held-out image leaves its class with one: without that .15 of p-values would be .5 or less."""
    p_values = []
    for seed in range(5):
        drawn = draw_task(seed, n_classes=20, shots=2, dims=DIMS, text_noise=None, n_test=200)
        detector = UnknownDetector.fit(LabelledVectors.of(drawn.X, drawn.y), false_alarms=0.1, seed=seed)
        p_values.append(detector.p_known(drawn.test_X))
    p = np.concatenate(p_values)
    assert (p <= 0.1).mean() <= 0.1
    assert 0.2 < (p <= 0.5).mean() <= 0.5


def test_the_same_again_by_seed() -> None:
    task = open_task()
    assert (fitted(task, seed=3).p_known(task.test_X) == fitted(task, seed=3).p_known(task.test_X)).all()


def test_what_is_kept_gives_the_same_to_the_last_bit(tmp_path: Path) -> None:
    task = open_task(text_noise=0.3)
    negatives = Negatives(tuple("abcdefghi"), unit(np.random.default_rng(0).normal(size=(9, DIMS))))
    detector = fitted(task, negatives=negatives)
    state = detector.state()
    np.savez(tmp_path / "state.npz", **state.arrays)
    with np.load(tmp_path / "state.npz") as arrays:
        kept = HeadState(state.name, json.loads(json.dumps(state.params)), dict(arrays))
    again = UnknownDetector.from_state(kept)
    assert (again.fused_scores(task.test_X) == detector.fused_scores(task.test_X)).all()
    assert (again.p_known(task.test_X) == detector.p_known(task.test_X)).all()
    assert again.report == detector.report
    assert again.finding == detector.finding
    assert again.negatives is not None
    assert again.negatives.names == negatives.names
    assert all(array.dtype.kind in "fi" for array in state.arrays.values())


def test_the_report_is_json_and_tells_all() -> None:
    detector = fitted(open_task(text_noise=0.3))
    report = json.loads(json.dumps(detector.report))
    assert set(report["scores"]) | set(report["dropped"]) == set(SCORES)
    assert sum(one["weight"] for one in report["scores"].values()) == pytest.approx(1.0)
    assert all(one["worst"] <= one["auroc"] for one in report["scores"].values())
    assert report["fused"]["auroc"] > 0.5
    assert 0.0 <= report["fused"]["low"] <= report["fused"]["auroc"] <= report["fused"]["high"] <= 1.0
    assert report["dropped"] == {"negative_labels": "no names that are no known class were given"}
    assert report["calibration"]["n"] == 48


def test_the_finding_says_what_other_classes_are_to_expect() -> None:
    detector = fitted(open_task())
    told = detector.report["fused"]
    assert f"as many others will be with {told['low']:.2f} to {told['high']:.2f} (90% range)" in detector.finding
    earlier = {key: value for key, value in told.items() if key not in ("low", "high")}
    detector = replace(detector, choice=replace(detector.choice, fused=earlier))
    assert detector.finding.endswith(f"detected with AUROC {told['auroc']:.3f}")


def test_a_score_for_every_image_and_every_name() -> None:
    task = open_task()
    scores = fitted(task).scores(task.test_X[:3])
    assert set(scores) == set(SCORES) - {"text_mcm", "text_cosine", "negative_labels"}
    assert all(one.shape == (3,) for one in scores.values())
    assert fitted(task).p_known(task.test_X[:0]).shape == (0,)


def test_the_weights_of_an_earlier_fit_hold() -> None:
    task, more = open_task(n_classes=6), open_task(n_classes=7, n_unknown=3)
    first = fitted(task)
    second = fitted(more, previous=first)
    used = dict(zip(first.choice.names, first.choice.weights, strict=True))
    assert len(second.known.plain.means) == 7
    assert all(used[name] == pytest.approx(second.report["scores"][name]["weight"]) for name in first.choice.in_use)
    assert second.report["fused"] == first.report["fused"]
    assert len(second.conformal.calibration) == 56


def fitted_on_tuned(tuned: Tuned, *, spaces: FoldSpaces | None = None, **options: Any) -> UnknownDetector:
    return UnknownDetector.fit(tuned.vectors(spaces=spaces), **options)


def test_an_encoder_that_knows_the_images_does_not_break_the_promise() -> None:
    """Calibrated as if it did not know them, half of the known images would be called unknown."""
    rates, naive = [], []
    for seed in range(10):
        tuned = tuned_task(seed, shots=16)
        test_X = tuned.task.test_X[~tuned.task.unknown]
        detector = fitted_on_tuned(tuned, false_alarms=0.1, spaces=tuned.spaces, previous=fitted(tuned.task))
        rates.append(detector.is_unknown(test_X).mean())
        naive.append(fitted_on_tuned(tuned, false_alarms=0.1).is_unknown(test_X).mean())
        assert rates[-1] <= detector.conformal.rate_range(0.1, n_images=len(test_X), level=0.99).high
    assert 0.03 < np.mean(rates) < 0.1
    assert np.mean(naive) > 0.4


def test_weights_and_figures_are_from_before_tuning() -> None:
    tuned = tuned_task()
    before = fitted(tuned.task)
    detector = fitted_on_tuned(tuned, spaces=tuned.spaces, previous=before)
    assert detector.choice.in_use == before.choice.in_use
    assert detector.report["fused"] == before.report["fused"]
    assert detector.report["tuned"]
    assert "each judged by a training without it" in detector.finding
    assert "before tuning, classes left out in turn were detected" in detector.finding
    assert "at most" in detector.finding
    assert UnknownDetector.from_state(detector.state()).finding == detector.finding


def test_without_a_detector_from_before_tuning_all_scores_count_alike() -> None:
    tuned = tuned_task()
    detector = fitted_on_tuned(tuned, spaces=tuned.spaces)
    assert len(set(detector.choice.weights)) == 1
    assert "count alike" in detector.finding


def test_a_class_less_keeps_what_the_trainings_calibrated() -> None:
    tuned = tuned_task()
    first = fitted_on_tuned(tuned, spaces=tuned.spaces, previous=fitted(tuned.task))
    fewer = tuned.vectors().without_classes(np.arange(6) == 5)
    second = UnknownDetector.fit(fewer, previous=first)
    assert second.tuned
    assert len(second.known.plain.means) == 5
    np.testing.assert_array_equal(second.conformal.calibration, first.conformal.calibration)
    np.testing.assert_array_equal(second.scale.mean, first.scale.mean)
    gone = tuned.task.y == 5
    assert second.fused_scores(tuned.X[gone]).mean() > first.fused_scores(tuned.X[gone]).mean() + 1
    with pytest.raises(InputError, match="at least 99 known images"):
        UnknownDetector.fit(fewer, previous=first, false_alarms=0.01)
    with pytest.raises(InputError, match=r"text_\w+: no class has a text vector"):
        UnknownDetector.fit(replace(fewer, text_vectors=None), previous=fitted_on_tuned(tuned, spaces=tuned.spaces))


def test_embedding_and_feature() -> None:
    task = open_task()
    feature = np.random.default_rng(0).normal(size=(6, 10))[task.y] + 0.1
    detector = UnknownDetector.fit(LabelledVectors.of(np.hstack([task.X, feature]), task.y, embedding_dims=DIMS))
    assert detector.known.plain.means.shape == (6, DIMS + 10)


@pytest.mark.parametrize("n_classes", [1, 2])
def test_too_few_classes_to_leave_out_weigh_all_alike(n_classes: int) -> None:
    task = open_task(n_classes=n_classes, shots=20)
    detector = fitted(task)
    assert "count alike" in detector.finding
    assert len(set(detector.choice.weights)) == 1
    assert np.isfinite(detector.fused_scores(task.test_X)).all()


def test_a_class_of_words_alone() -> None:
    task = open_task(text_noise=0.3)
    rows = task.y != 5
    detector = UnknownDetector.fit(task.vectors(rows))
    assert len(detector.known.plain.means) == 6
    assert np.isfinite(detector.fused_scores(task.test_X)).all()


def test_too_few_images_for_the_rate_are_refused() -> None:
    task = open_task(n_classes=3, shots=4)
    with pytest.raises(InputError, match="at least 19 known images to calibrate on, and there are 12"):
        fitted(task)
    assert len(fitted(task, false_alarms=0.1).conformal.calibration) == 12


def test_one_image_a_class_is_refused() -> None:
    with pytest.raises(InputError, match="and there are 0"):
        fitted(open_task(n_classes=30, n_unknown=1, shots=1))


@pytest.mark.parametrize("X", [np.zeros((2, DIMS + 1)), np.zeros(DIMS), np.full((1, DIMS), np.nan)])
def test_vectors_of_another_kind_are_refused(X: np.ndarray) -> None:
    with pytest.raises(InputError, match="finite and of shape"):
        fitted(open_task()).p_known(X)


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 100), factor=st.floats(0.1, 10))
def test_the_length_of_vectors_does_not_matter(seed: int, factor: float) -> None:
    task = open_task(seed, n_test=20)
    stretched = UnknownDetector.fit(replace(task, X=factor * task.X).vectors())
    expected = fitted(task).fused_scores(task.test_X)
    assert stretched.fused_scores(factor * task.test_X) == pytest.approx(expected, rel=0.02, abs=0.02)


@pytest.mark.shared
def test_half_of_real_classes(shared: Path) -> None:
    task = real_task(shared, "caltech101", shots=16)
    rows, known = task.y < 25, task.test_y < 25
    detector = UnknownDetector.fit(LabelledVectors.of(task.X[rows], task.y[rows]))
    score = detector.fused_scores(task.test_X)
    assert auroc(score[~known], score[known]) > 0.93


def test_of_few_images_the_state_is_the_images_and_of_many_their_statistics() -> None:
    """Few images of many dimensions take no more room than their vectors; both come back to the last bit."""
    few, many = draw_task(n_classes=8, shots=12, dims=200), draw_task(n_classes=8, shots=90, dims=16)
    for task, holds_images in ((few, True), (many, False)):
        detector = UnknownDetector.fit(LabelledVectors.of(task.X, task.y))
        state = detector.state()
        assert ("images" in state.arrays) == holds_images
        again = UnknownDetector.from_state(state)
        assert np.array_equal(again.fused_scores(task.test_X), detector.fused_scores(task.test_X))
        size = sum(array.nbytes for array in state.arrays.values())
        assert not holds_images or size < 1.1 * task.X.nbytes + 20_000
