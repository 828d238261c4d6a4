"""The head after a decision: anew where the memory is small, in closed form where it is large."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.heads import closed_form, experts
from inkling.memory.content import DetectorState, MemoryContent
from inkling.memory.store import read_memory, write_memory
from inkling.review import refit
from inkling.review.decisions import Decisions
from tests.review.conftest import CLASSES, SHOTS, centre, drawn, held, pool

WITH_TEXTS = {"text_vectors": np.stack([centre(name) for name in CLASSES])}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every memory were a large one."""
    monkeypatch.setattr(closed_form, "LARGE", 0)
    monkeypatch.setattr(experts, "MAX_LOCAL_WORK", 0)


def _fitted(path: Path, head: str, *, texts: bool = True, names: tuple[str, ...] = CLASSES) -> FewShotClassifier:
    X = np.concatenate([drawn(name, SHOTS) for name in names])
    labels = [name for name in names for _ in range(SHOTS)]
    classifier = FewShotClassifier("none", head=head)
    classifier.fit_embeddings(X, labels, **(WITH_TEXTS if texts else {}))
    classifier.save(path)
    pool(path, "bench", "plant")
    return classifier


def _probabilities(path: Path) -> np.ndarray:
    X = np.concatenate([drawn(name, 10, seed=5) for name in (*CLASSES, "bench")])
    classifier = FewShotClassifier.load(path)
    order = np.argsort(classifier.classes_)
    return classifier.probabilities(X)[:, order]


def test_a_small_memory_is_fitted_as_if_its_classes_had_always_been_there(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    _fitted(path, "auto", texts=False)
    Decisions(path).accept(1, first_name=True)
    content = read_memory(path).content
    labels = [one.class_name for one in content.exemplars]
    contents = [one.content_hash for one in content.exemplars]
    again = FewShotClassifier("none").fit_embeddings(content.vectors, labels, groups=contents)
    X = drawn("bench", 5, seed=9)
    assert_allclose(FewShotClassifier.load(path).probabilities(X), again.probabilities(X), rtol=1e-6)


def _refuse(*arguments: object) -> None:
    raise AssertionError("the vectors were read")


class TestMiddling:
    @pytest.fixture(autouse=True)
    def _middling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if every memory were a middling one."""
        monkeypatch.setattr(refit, "MOMENT", 0)

    @pytest.mark.parametrize("texts", [True, False])
    def test_weights_stay_and_experts_are_new(self, tmp_path: Path, texts: bool) -> None:
        path = tmp_path / "a.ink"
        fitted = _fitted(path, "auto", texts=texts)
        before, version = held(path), read_memory(path).version
        event = Decisions(path).accept(1, first_name=True)
        assert event.outcome["refit"] == "with the weights that it had"
        assert f"(weights and temperature of version {version})" in event.outcome["finding"]
        classifier = FewShotClassifier.load(path)
        for name in (*CLASSES, "bench"):
            assert list(classifier.predict_embeddings(drawn(name, 20, seed=9))).count(name) >= 18
        assert classifier.fitted.fitted_head.head.weights_ == fitted.fitted.fitted_head.head.weights_
        assert classifier.fitted.fitted_head.calibration == fitted.fitted.fitted_head.calibration
        Decisions(path).undo()
        assert held(path) == before

    def test_the_version_of_the_weights_is_kept_until_a_whole_fit(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, "auto")
        decide, version = Decisions(path), read_memory(path).version
        decide.accept(1, first_name=True)
        found = decide.accept(2, first_name=True).outcome["finding"]
        assert found.count("weights and temperature of version") == 1
        assert f"of version {version})" in found
        assert "of version" not in decide.refit().outcome["finding"]

    def test_experts_are_those_of_a_whole_fit(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, "auto", texts=False)
        Decisions(path).accept(1, first_name=True)
        quick = FewShotClassifier.load(path).fitted.fitted_head.head
        Decisions(path).refit()
        whole = FewShotClassifier.load(path).fitted.fitted_head.head
        X = drawn("bench", 5, seed=9)
        shared = quick.experts_.keys() & whole.experts_.keys()
        assert shared
        for name in shared:
            assert_allclose(quick.experts_[name].logits(X), whole.experts_[name].logits(X), rtol=1e-5)

    def test_so_does_a_small_memory_whose_encoder_knows_its_images(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        path = tmp_path / "a.ink"
        fitted = _fitted(path, "auto")
        stored = read_memory(path).content
        for ships, refitted in (("fine-tuned", "with the weights that it had"), ("head", "anew")):
            training = {**stored.training, "finetuning": {"ships": ships}}
            write_memory(path, replace(stored, training=training), replace=True)
            event = Decisions(path).remove_class("van")
            assert event.outcome["refit"] == refitted
        Decisions(path).undo()
        assert FewShotClassifier.load(path).fitted.classes == fitted.fitted.classes

    def test_other_heads_are_fitted_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, "gda")
        assert Decisions(path).accept(1, first_name=True).outcome["refit"] == "anew"


@pytest.mark.usefixtures("large")
class TestLarge:
    @pytest.mark.parametrize(
        ("head", "texts"),
        [("zero-shot", True), *product(("auto", "gda", "prototype"), (True, False))],
    )
    def test_accepted_in_closed_form(self, tmp_path: Path, head: str, texts: bool) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, head, texts=texts)
        before = held(path)
        event = Decisions(path).accept(1, first_name=True)
        assert event.outcome["refit"] == "in closed form"
        assert "weights and temperature of version" in event.outcome["finding"]
        classifier = FewShotClassifier.load(path)
        for name in (*CLASSES, "bench"):
            assert list(classifier.predict_embeddings(drawn(name, 20, seed=9))).count(name) >= 18
        Decisions(path).undo()
        assert held(path) == before

    @pytest.mark.parametrize("head", ["auto", "gda", "prototype"])
    def test_statistics_kept_and_worked_out_anew_give_the_same(
        self, tmp_path: Path, head: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Statistics are kept of the head in use and of the one before it; further back, the vectors are read."""
        path = tmp_path / "a.ink"
        _fitted(path, head)
        decide = Decisions(path)
        decide.accept(1, first_name=True)
        kept = _probabilities(path)
        decide.undo()
        with monkeypatch.context() as patched:
            patched.setattr(refit, "read_vectors", _refuse)
            decide.accept(1, first_name=True)
        assert_array_equal(_probabilities(path), kept)
        decide.accept(2, first_name=True)
        decide.undo()
        decide.undo()
        with monkeypatch.context() as patched:
            patched.setattr(refit, "read_vectors", _refuse)
            with pytest.raises(AssertionError, match="the vectors were read"):
                decide.accept(1, first_name=True)
        decide.accept(1, first_name=True)
        assert_allclose(_probabilities(path), kept, atol=1e-5)

    @pytest.mark.parametrize("head", ["gda", "prototype"])
    def test_classes_that_came_and_went_leave_no_trace(self, tmp_path: Path, head: str) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, head)
        before = _probabilities(path)
        decide = Decisions(path)
        decide.accept(2, first_name=True)
        decide.accept(1, first_name=True)
        decide.remove_class("plant")
        decide.remove_class("bench")
        assert_allclose(_probabilities(path), before, atol=1e-5)

    @pytest.mark.parametrize("head", ["gda", "prototype"])
    def test_joined_images_count_like_any_others(self, tmp_path: Path, head: str) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, head, texts=False)
        Decisions(path).accept(1, "van", join=True)
        content = read_memory(path).content
        labels = [one.class_name for one in content.exemplars]
        again = FewShotClassifier("none", head=head).fit_embeddings(content.vectors, labels)
        X = drawn("van", 20, seed=9)
        assert_allclose(
            FewShotClassifier.load(path).fitted.fitted_head.logits(X), again.fitted.fitted_head.logits(X), rtol=1e-3
        )

    def test_refit_finds_weights_and_temperature_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, "auto")
        decide = Decisions(path)
        decide.accept(1, first_name=True)
        assert "weights_of" in read_memory(path).content.training
        event = decide.refit()
        assert event.outcome["refit"] == "anew"
        assert "weights_of" not in read_memory(path).content.training
        decide.undo()
        assert "weights_of" in read_memory(path).content.training

    def test_provenance_tells_of_the_data_there_is(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ink"
        _fitted(path, "gda")
        before = read_memory(path).content.provenance
        decide = Decisions(path)
        decide.accept(1, first_name=True)
        after = read_memory(path).content.provenance
        assert after.data_hash != before.data_hash
        assert after.seed == before.seed
        decide.undo()
        assert read_memory(path).content.provenance == before


def test_a_stale_detector_never_stays(path: Path) -> None:
    stored = read_memory(path).content
    detector = DetectorState("knn", {"k": 3}, {"X": np.zeros((2, 2))}, {"auroc": 0.9})
    write_memory(path, MemoryContent(**{**vars(stored), "detector": detector}), replace=True)
    asked: list[MemoryContent] = []

    def fitted_again(content: MemoryContent) -> DetectorState:
        asked.append(content)
        return DetectorState("knn", {"k": 4}, {"X": np.ones((3, 2))}, {})

    assert Decisions(path, detect=fitted_again).accept(1, first_name=True).outcome["detector"] == "fitted again"
    assert [entry.name for entry in asked[0].classes] == ["bench", *CLASSES]
    now = read_memory(path).content.detector
    assert now is not None
    assert now.params == {"k": 4}
    without = Decisions(path, detect=lambda _: None)
    assert without.remove_class("bench").outcome["detector"] == "taken out"
    assert read_memory(path).content.detector is None
    Decisions(path).undo()
    Decisions(path).undo()
    then = read_memory(path).content.detector
    assert then is not None
    assert (then.name, then.params, then.report) == ("knn", {"k": 3}, {"auroc": 0.9})
    assert_array_equal(then.arrays["X"], np.zeros((2, 2)))


def test_fewer_than_two_classes_are_refused(decide: Decisions) -> None:
    decide.remove_class("van")
    with pytest.raises(InputError, match="at least two classes"):
        decide.remove_class("car")
