"""What auto ships, what it says about it, and that its evidence is honest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import log_loss

from inkling.heads import AutoHead, ZeroShotHead, out_of_fold
from inkling.heads.auto import GAIN_LEVEL
from inkling.heads.experts import EXPERTS, ONE_SHOT_WEIGHT
from tests.heads.samples import Task, draw_task, real_task, unit

GOOD_TEXT = {"n_classes": 12, "shots": 6, "dims": 32, "spread": 0.9, "text_noise": 0.5}
"""Texts that already tell nearly all, as CLIP's do of everyday things."""


def top1_out_of_fold(head: AutoHead, y: np.ndarray) -> float:
    return float((head.out_of_fold_logits_.argmax(axis=1) == y[head.out_of_fold_rows_]).mean())


class TestGuard:
    @settings(deadline=None, max_examples=25)
    @given(
        seed=st.integers(0, 10_000),
        shots=st.integers(2, 6),
        spread=st.sampled_from([0.3, 1.0, 3.0]),
        text_noise=st.sampled_from([0.2, 1.0, 4.0]),
        share_of_noise=st.sampled_from([0.0, 0.3, 1.0]),
    )
    def test_what_ships_is_never_below_zero_shot_by_its_own_evidence(
        self, seed: int, shots: int, spread: float, text_noise: float, share_of_noise: float
    ) -> None:
        task = draw_task(seed, n_classes=5, shots=shots, spread=spread, text_noise=text_noise)
        rng = np.random.default_rng(seed)
        y = np.where(rng.random(len(task.y)) < share_of_noise, rng.permutation(task.y), task.y)
        y[:5] = range(5)
        head = AutoHead(task.text, seed=seed).fit(task.X, y)
        assume(head.evidence_)
        zero_shot, blend = head.evidence_
        assert zero_shot["name"] == "zero-shot"
        assert top1_out_of_fold(head, y) >= zero_shot["top1"]
        if head.chosen_ != "zero-shot":
            assert blend["log_loss"] < zero_shot["log_loss"]
            assert head.finding_.startswith(f"'{head.chosen_}' beats zero-shot")

    @pytest.mark.parametrize("seed", range(20))
    def test_labels_that_are_noise_ship_zero_shot_and_it_says_so(self, seed: int) -> None:
        task = draw_task(seed, **GOOD_TEXT)
        y = np.random.default_rng(seed).permutation(task.y)
        head = AutoHead(task.text, seed=seed).fit(task.X, y)
        assert head.chosen_ == "zero-shot"
        assert "no gain detected over zero-shot" in head.finding_
        assert (
            head.predict(task.test_X).tolist() == ZeroShotHead(task.text).fit(task.X, y).predict(task.test_X).tolist()
        )

    @pytest.mark.parametrize("shots", [2, 3, 8])
    def test_random_vectors_gain_nothing_over_texts_of_chance(self, shots: int) -> None:
        """Nothing tells of the labels: passing the test is an error of the first kind, of one in a hundred."""
        gains = 0
        for seed in range(40):
            rng = np.random.default_rng(seed)
            X, text = unit(rng.normal(size=(10 * shots, 24))), unit(rng.normal(size=(10, 24)))
            gains += AutoHead(text, seed=seed).fit(X, np.repeat(np.arange(10), shots)).chosen_ != "zero-shot"
        assert gains <= 40 * GAIN_LEVEL + 3

    def test_being_less_wrong_than_zero_shot_is_no_gain(self) -> None:
        """Vectors and texts by chance, of which the texts are worse than guessing and the images less so."""
        rng = np.random.default_rng(46)
        X, text = unit(rng.normal(size=(24, 64))), unit(rng.normal(size=(4, 64)))
        head = AutoHead(text, seed=46).fit(X, np.repeat(np.arange(4), 6))
        zero_shot, blend = head.evidence_
        assert zero_shot["log_loss"] > np.log(4)
        assert blend["log_loss"] < zero_shot["log_loss"]
        assert blend["top1"] > zero_shot["top1"]
        assert head.chosen_ == "zero-shot"

    def test_its_level_stands_beside_p(self) -> None:
        task = draw_task(shots=8, spread=0.5, text_noise=3.0)
        assert "below 0.01 is a gain" in AutoHead(task.text).fit(task.X, task.y).finding_

    def test_it_compares_on_the_classes_with_a_text(self) -> None:
        """Zero-shot knows nothing of classes without a text: to beat it there is no feat."""
        task = draw_task(shots=8, spread=0.5, text_noise=0.5)
        assert task.text is not None
        text = task.text.copy()
        text[::2] = np.nan
        head, named = AutoHead(text).fit(task.X, task.y), np.isfinite(text[:, 0])
        assert f"on the {named.sum()} of {len(text)} classes that have a text" in head.finding_
        rows = named[task.y]
        fair = AutoHead(task.text[named]).fit(task.X[rows], np.searchsorted(np.flatnonzero(named), task.y[rows]))
        assert head.evidence_[0]["top1"] == pytest.approx(fair.evidence_[0]["top1"], abs=0.05)

    @pytest.mark.parametrize("spread", [0.3, 1.5])
    def test_one_text_among_several_classes_is_no_zero_shot(self, spread: float) -> None:
        """On one class there is nothing to be right or wrong about: 100 % against 100 % says nothing."""
        task = draw_task(shots=8, spread=spread, text_noise=0.2)
        assert task.text is not None
        text = np.full_like(task.text, np.nan)
        text[1] = task.text[1]
        head = AutoHead(text).fit(task.X, task.y)
        assert head.chosen_.startswith("zero-shot + prototype + ")
        assert head.finding_.endswith(f"only 1 of {len(text)} classes has a text to compare with")
        assert [one["name"] for one in head.evidence_] == [head.chosen_]
        assert head.evidence_[0]["top1"] == top1_out_of_fold(head, task.y)

    def test_zero_shot_that_ships_says_which_classes_have_no_text(self) -> None:
        task = draw_task(seed=1, **GOOD_TEXT)
        assert task.text is not None
        text = task.text.copy()
        text[0] = np.nan
        head = AutoHead(text).fit(task.X, np.random.default_rng(1).permutation(task.y))
        assert head.chosen_ == "zero-shot"
        assert head.finding_.endswith("zero-shot ships, and 1 class by images carried to texts")

    def test_images_that_tell_more_than_texts_ship_the_blend(self) -> None:
        task = draw_task(shots=8, spread=0.5, text_noise=3.0)
        head = AutoHead(task.text).fit(task.X, task.y)
        zero_shot = ZeroShotHead(task.text).fit(task.X, task.y)
        assert head.chosen_ == "zero-shot + prototype + local-gda + logistic"
        assert head.score(task.test_X, task.test_y) > zero_shot.score(task.test_X, task.test_y) + 0.1

    def test_evidence_is_that_of_the_logits_it_keeps(self) -> None:
        task = draw_task(shots=8, spread=0.5, text_noise=3.0)
        head = AutoHead(task.text).fit(task.X, task.y)
        z, y = head.out_of_fold_logits_, task.y[head.out_of_fold_rows_]
        p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
        assert head.evidence_[1]["log_loss"] == pytest.approx(log_loss(y, p))
        assert head.evidence_[1]["top1"] == top1_out_of_fold(head, task.y)


class TestFewImages:
    @pytest.mark.parametrize("text_noise", [1.0, None])
    def test_one_shot_ships_the_fixed_rule_without_evidence(self, text_noise: float | None) -> None:
        task = draw_task(shots=1, text_noise=text_noise)
        head = AutoHead(task.text).fit(task.X, task.y)
        assert head.evidence_ == []
        assert len(head.out_of_fold_rows_) == 0
        assert "ships without evidence" in head.finding_
        assert head.chosen_ == ("prototype" if text_noise is None else "zero-shot + prototype")

    def test_below_three_shots_only_the_temperature_is_fitted(self) -> None:
        task = draw_task(shots=2, spread=0.3, text_noise=2.0, n_classes=12)
        one = AutoHead(task.text).fit(*first_shots(task, 1)).weights_
        two = AutoHead(task.text).fit(task.X, task.y).weights_
        assert two["prototype"] / two["zero-shot"] == pytest.approx(one["prototype"] / one["zero-shot"])

    def test_views_do_not_count_as_shots(self) -> None:
        """Ten views of one image a class are one shot: there is nothing to hold out."""
        task = draw_task(shots=1)
        X, y = np.repeat(task.X, 10, axis=0), np.repeat(task.y, 10)
        X = unit(X + 0.01 * np.random.default_rng(0).normal(size=X.shape))
        head = AutoHead(task.text).fit(X, y, groups=np.repeat(np.arange(4), 10))
        assert "ships without evidence" in head.finding_


def first_shots(task: Task, shots: int) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate([np.flatnonzero(task.y == k)[:shots] for k in range(task.n_classes)])
    return task.X[rows], task.y[rows]


class TestViews:
    rng = np.random.default_rng(0)
    sources = np.repeat(np.arange(30), 4)
    X = unit(np.repeat(unit(rng.normal(size=(30, 20))), 4, axis=0) + 0.02 * rng.normal(size=(120, 20)))
    """Images without any class to them, four near copies of each: only a leak can recognise them."""
    y = (sources % 5).astype(np.int64)

    def test_copies_in_several_folds_would_look_like_knowledge(self) -> None:
        leaking = AutoHead().fit(self.X, self.y)
        assert top1_out_of_fold(leaking, self.y) > 0.9

    def test_grouped_views_never_leak(self) -> None:
        honest = AutoHead().fit(self.X, self.y, groups=self.sources)
        assert top1_out_of_fold(honest, self.y) < 0.45

    @pytest.mark.parametrize("name", EXPERTS)
    def test_no_expert_recognises_copies_of_an_image_that_is_held_out(self, name: str) -> None:
        def held_out_top1(sources: np.ndarray) -> float:
            expert = EXPERTS[name]()
            expert.classes = list(range(5))
            found = out_of_fold.out_of_fold(expert, self.X, self.y, sources, seed=0)
            return float((found.logits.argmax(axis=1) == self.y[found.rows]).mean())

        assert held_out_top1(self.sources) < 0.45
        assert held_out_top1(np.arange(len(self.y))) > 0.65


def test_without_texts_it_tells_how_good_it_is_and_compares_with_nothing() -> None:
    task = draw_task(shots=8, text_noise=None)
    head = AutoHead().fit(task.X, task.y)
    assert head.chosen_ == "prototype + local-gda + logistic"
    assert "no texts to compare with" in head.finding_
    assert [one["name"] for one in head.evidence_] == [head.chosen_]
    assert abs(head.score(task.test_X, task.test_y) - top1_out_of_fold(head, task.y)) < 0.15


def test_out_of_fold_logits_are_calibrated() -> None:
    task = draw_task(n_classes=6, shots=60, dims=16, spread=1.5, text_noise=None, n_test=1000)
    head = AutoHead().fit(task.X, task.y)
    confidence = head.predict_proba(task.test_X).max(axis=1).mean()
    assert confidence == pytest.approx(head.score(task.test_X, task.test_y), abs=0.04)


def test_the_same_seed_gives_the_same_head_and_another_other_folds() -> None:
    task = draw_task(shots=6, spread=1.0)
    one, again, other = (AutoHead(task.text, seed=seed).fit(task.X, task.y) for seed in (3, 3, 4))
    assert np.array_equal(one.logits(task.test_X), again.logits(task.test_X))
    assert one.finding_ == again.finding_
    assert one.finding_ != other.finding_


def test_many_images_are_judged_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "MIN_EVIDENCE", 50)
    monkeypatch.setattr(out_of_fold, "MAX_SCORES", 200)
    task = draw_task(shots=40)
    head = AutoHead(task.text).fit(task.X, task.y)
    assert len(head.out_of_fold_rows_) == 50
    assert head.score(task.test_X, task.test_y) > 0.7


@pytest.mark.shared
class TestRealFeatures:
    """CLIP ViT-B/32 on Caltech-43, the classes whose text vectors are known."""

    @pytest.fixture
    def caltech(self, shared: Path) -> Callable[[int], Task]:
        return lambda shots: real_task(shared, "caltech101", shots=shots, with_text=True)

    @pytest.mark.parametrize(("shots", "seed"), [(2, 0), (4, 1), (4, 2), (8, 3)])
    def test_permuted_labels_ship_zero_shot(self, caltech: Callable[[int], Task], shots: int, seed: int) -> None:
        task = caltech(shots)
        y = np.random.default_rng(seed).permutation(task.y)
        head = AutoHead(task.text, seed=seed).fit(task.X, y)
        assert head.chosen_ == "zero-shot"
        assert "no gain detected" in head.finding_
        assert head.score(task.test_X, task.test_y) > 0.95

    @pytest.mark.parametrize("shots", [1, 4, 8])
    def test_true_labels_do_not_fall_below_zero_shot(self, caltech: Callable[[int], Task], shots: int) -> None:
        """One shot leaves no evidence, and may cost a few images in a thousand."""
        task = caltech(shots)
        zero_shot = ZeroShotHead(task.text).fit(task.X, task.y).score(task.test_X, task.test_y)
        allowed = 0.005 if shots == 1 else 0.0
        head = AutoHead(task.text).fit(task.X, task.y)
        assert head.score(task.test_X, task.test_y) >= zero_shot - allowed

    def test_images_alone_beat_the_nearest_mean(self, shared: Path) -> None:
        task = real_task(shared, "oxford_pets", shots=4)
        means = unit(np.stack([task.X[task.y == k].mean(axis=0) for k in range(task.n_classes)]))
        nearest = ((task.test_X @ means.T).argmax(axis=1) == task.test_y).mean()
        assert AutoHead().fit(task.X, task.y).score(task.test_X, task.test_y) > nearest + 0.08

    @pytest.mark.slow
    def test_many_classes_lose_no_expert(self, shared: Path) -> None:
        """196 classes of 12 images: `auto` had left out its best expert, and fell behind the kernel head."""
        with np.load(shared / "features" / "clip-vit-b32" / "stanford_cars.npz") as arrays:
            order = np.argsort(arrays["train16_y"], kind="stable")
            X, y = unit(arrays["train16_x"].astype(np.float32))[order], arrays["train16_y"][order]
        kept = np.arange(len(y)) - np.searchsorted(y, y) < 12
        head = AutoHead().fit(X[kept], y[kept])
        assert set(head.weights_) == set(EXPERTS)
        assert head.score(X[~kept], y[~kept]) > 0.81


def test_scales_of_one_and_two_images_rest_on_a_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image is flattened; of two, folds see one alone, so the scale that they ask for counts half in logarithms."""
    one = draw_task(0, n_classes=10, shots=1, dims=16, text_noise=None)
    assert AutoHead().fit(one.X, one.y).weights_ == {"prototype": ONE_SHOT_WEIGHT}
    assert AutoHead(one.test_X[:10]).fit(one.X, one.y).weights_["zero-shot"] == 1.0
    two = draw_task(0, n_classes=10, shots=2, dims=16, text_noise=None)
    shipped = AutoHead().fit(two.X, two.y).weights_["prototype"]
    monkeypatch.setattr("inkling.heads.auto.PRIOR_SHARE", 0.0)
    assert shipped == pytest.approx(AutoHead().fit(two.X, two.y).weights_["prototype"] ** 0.5)


def test_refit_keeps_weights_and_learns_the_experts_anew() -> None:
    task = draw_task(0, n_classes=5, shots=8, dims=16, text_noise=None)
    before = AutoHead().fit(task.X, task.y)
    kept = task.y < 4
    again = AutoHead().refit(task.X[kept], task.y[kept], before)
    assert (again.weights_, again.finding_) == (before.weights_, before.finding_)
    assert len(again.out_of_fold_rows_) == 0
    whole = AutoHead().fit(task.X[kept], task.y[kept])
    for name, expert in again.experts_.items():
        assert_allclose(expert.logits(task.X), whole.experts_[name].logits(task.X))


def test_refit_is_fit_where_the_experts_are_others() -> None:
    task = draw_task(0, n_classes=5, shots=8, dims=16, text_noise=None)
    before = AutoHead().fit(task.X, task.y)
    first = np.concatenate([np.flatnonzero(task.y == k)[:2] for k in range(5)])
    again = AutoHead().refit(task.X[first], task.y[first], before)
    assert again.weights_ == AutoHead().fit(task.X[first], task.y[first]).weights_
    named = AutoHead(text_vectors=task.X[np.unique(task.y, return_index=True)[1]])
    assert "zero-shot" in named.refit(task.X, task.y, before).weights_
