"""What ships is what evidence says, and a memory takes it in one step or stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkling.classifier.few_shot import FewShotClassifier
from inkling.errors import InputError, MemoryFileError
from inkling.finetune.exemplars import untuned_source
from inkling.finetune.finetuner import FineTuner
from inkling.finetune.selection.guard import Verdict
from inkling.finetune.shipping import FINE_TUNED, HEAD, ZERO_SHOT, Shipment, judge, require_rate
from inkling.images.handed_over import records_of
from inkling.memory.store import read_memory
from inkling.sketch import HELD_OUT, draw
from inkling.unknown import UnknownDetector
from tests.finetune.cases import recipe

KINDS = HELD_OUT[:3]


def pictures(per_class: int, *, seed: int = 0) -> tuple[list[Image.Image], list[str]]:
    labels = [kind for kind in KINDS for _ in range(per_class)]
    return [draw(kind, seed=seed + number, size=64) for number, kind in enumerate(labels)], labels


def shipment(output: Path, *, per_class: int = 6, false_alarms: float | None = None, **options: Any) -> Shipment:
    how = recipe(**{"train": "projection", "steps": 4, "learning_rate": 1e-3, "folds": 2, **options})
    tuner = FineTuner("sketch", how, device="cpu")
    images, labels = pictures(per_class)
    return judge(tuner, tuner.fit(images, labels, output=output), false_alarms=false_alarms, cache=False)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Shipment:
    return shipment(tmp_path_factory.mktemp("run"), false_alarms=0.1)


def fine_tuned(judged: Shipment) -> Shipment:
    """As if evidence had spoken for the tuned encoder."""
    return replace(judged, verdict=Verdict(FINE_TUNED, "it ships"))


def test_candidates_are_compared_on_the_same_held_out_images(judged: Shipment) -> None:
    assert [one.name for one in judged.candidates] == [ZERO_SHOT, HEAD, FINE_TUNED]
    assert {one.logits.shape for one in judged.candidates} == {(18, 3)}
    assert judged.verdict.name in {one.name for one in judged.candidates}
    assert (
        judged.classifier
        is {
            ZERO_SHOT: judged.zero_shot,
            HEAD: judged.head,
            FINE_TUNED: judged.fine_tuned,
        }[judged.verdict.name]
    )


def test_an_encoder_that_did_not_change_is_no_gain(tmp_path: Path) -> None:
    unchanged = shipment(tmp_path, interpolate=0.0)
    head, tuned = unchanged.candidates[1:]
    assert unchanged.verdict.name != FINE_TUNED
    assert abs(head.top1 - tuned.top1) < 0.2


@pytest.mark.slow
def test_images_that_the_encoder_was_tuned_on_prove_nothing(tmp_path: Path) -> None:
    """Labels at random: learnt by heart they would look perfect, and nothing may ship for that."""
    images, labels = pictures(8)
    shuffled = [str(label) for label in np.random.default_rng(0).permutation(labels)]
    how = recipe(train="full", steps=60, batch_size=24, learning_rate=1e-3, folds=2, interpolate=1.0)
    tuner = FineTuner("sketch", how, device="cpu")
    judged = judge(tuner, tuner.fit(images, shuffled, output=tmp_path), cache=False)
    known_by_heart = np.mean(judged.fine_tuned.predict(images) == np.array(shuffled, dtype=object))
    assert known_by_heart == 1.0
    assert judged.verdict.name == ZERO_SHOT
    assert judged.candidates[-1].top1 < 0.6
    assert judged.fine_tuned.fitted.fitted_head.calibration["top1"] < 0.6
    unseen, labels = pictures(8, seed=500)
    assert judged.fine_tuned.predict_proba(unseen).max(axis=1).mean() < 0.8


def test_table_sentence_and_curve_tell_the_same_figures(judged: Shipment) -> None:
    candidates = {one["name"]: one for one in judged.told["candidates"]}
    (taken,) = [point for point in judged.told["curve"] if point["share"] == judged.told["share"]]
    texts = judged.told["texts"][0]
    for point, candidate in ((taken, candidates[FINE_TUNED]), (texts, candidates[ZERO_SHOT])):
        assert point["log_loss"] == pytest.approx(candidate["log_loss"], abs=5e-4)
        assert point["top1"] == candidate["top1"]
    assert f"log-loss {taken['log_loss']:.3f} against" in judged.told["reason"]


def test_one_image_a_class_ships_half_of_the_tuned_weights_and_says_so(tmp_path: Path) -> None:
    judged = shipment(tmp_path, per_class=1)
    assert judged.candidates == ()
    assert judged.verdict.name == FINE_TUNED
    assert "half of the tuned weights ship, without evidence" in judged.classifier.finding_
    assert "too few to leave any out" in judged.classifier.fitted.unknown


def test_another_fine_tuning_begins_where_this_one_began(judged: Shipment, tmp_path: Path) -> None:
    judged.head.save(tmp_path / "a.ink")
    assert untuned_source(read_memory(tmp_path / "a.ink").content) == "sketch"
    shipment(tmp_path / "run", per_class=1).save(tmp_path / "b.ink", version=None)
    content = read_memory(tmp_path / "b.ink").content
    assert content.encoder.source != "sketch"
    assert untuned_source(content) == "sketch"


def test_a_new_memory_holds_what_ships_and_how_it_came_about(judged: Shipment, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    assert fine_tuned(judged).save(path, version=None) == 1
    again = FewShotClassifier.load(path, cache=False)
    images, _ = pictures(3, seed=70)
    np.testing.assert_allclose(again.predict_proba(images), judged.fine_tuned.predict_proba(images), atol=1e-6)
    told = again.fitted.finetuning
    assert told is not None
    assert told["recipe"]["train"] == "projection"
    assert again.fitted.detector is not None
    assert "each judged by a training without it" in again.fitted.unknown
    assert told["unknown"] == judged.classifier.fitted.unknown
    assert told["from"]["source"] == "sketch"
    assert [one.unknown for one in again.verdicts(images)] == [
        one.unknown for one in judged.fine_tuned.verdicts(images)
    ]
    assert len(told["curve"]) == len(told["texts"]) == 6
    assert [row["step"] for row in told["log"]][-1] == 4


def test_unknown_images_are_detected_by_earlier_weights_and_trainings_that_left_images_out(
    judged: Shipment,
) -> None:
    before, after = judged.head.fitted.detector, judged.fine_tuned.fitted.detector
    assert before is not None
    assert after is not None
    assert (before.tuned, after.tuned) == (False, True)
    assert after.false_alarms == 0.1
    assert len(after.conformal.calibration) == 18
    assert after.choice.in_use == before.choice.in_use
    assert judged.zero_shot.fitted.detector is not None


@pytest.mark.slow
def test_a_tuned_encoder_keeps_to_the_rate_of_false_alarms(tmp_path: Path) -> None:
    """Calibrated as if the encoder did not know the images, a third of the known ones would be called unknown."""
    kinds, shots = HELD_OUT[:5], 12
    labels = [kind for kind in kinds for _ in range(shots)]
    images = [draw(kind, seed=number, size=64) for number, kind in enumerate(labels)]
    how = recipe(train="blocks:2", steps=60, batch_size=20, interpolate=1.0, folds=3)
    tuner = FineTuner("sketch", how, device="cpu")
    judged = judge(tuner, tuner.fit(images, labels, output=tmp_path / "run"), false_alarms=0.1, cache=False)
    fitted = judged.fine_tuned.fitted
    fresh = [draw(kind, seed=1000 + number, size=64) for kind in kinds for number in range(40)]
    X = judged.fine_tuned.embed(records_of(fresh)).X
    naive = UnknownDetector.fit(fitted.vectors, false_alarms=0.1)
    assert fitted.detector is not None
    told = fitted.detector.conformal.rate_range(0.1, n_images=len(fresh))
    assert fitted.detector.is_unknown(X).mean() <= told.high
    assert naive.is_unknown(X).mean() > told.high + 0.1


def test_what_is_tuned_twice_tells_no_unknown_images(judged: Shipment, tmp_path: Path) -> None:
    folder = Path(judged.fine_tuned.fitted.samples.identity.source)
    tuner = FineTuner(folder, recipe(train="projection", steps=2, folds=2), device="cpu")
    images, labels = pictures(6)
    with pytest.raises(InputError, match="had been tuned before"):
        require_rate(tuner, records_of(images, labels), 0.1)
    again = judge(tuner, tuner.fit(images, labels, output=tmp_path / "run"), cache=False)
    assert "had been tuned before" in again.fine_tuned.fitted.unknown


def test_a_rate_that_the_folds_cannot_support_is_refused_before_any_training() -> None:
    images, labels = pictures(6)
    tuner = FineTuner("sketch", recipe(folds=2), device="cpu")
    records = records_of([*images, images[0]], [*labels, "alone"])
    require_rate(tuner, records, 0.1)
    with pytest.raises(InputError, match="at least 19 known images to calibrate on, and there are 18"):
        require_rate(tuner, records, 0.05)


def test_texts_of_a_tuned_encoder_are_not_called_zero_shot(tmp_path: Path) -> None:
    judged = shipment(tmp_path, per_class=1)
    X = judged.fine_tuned.fitted.samples.X
    assert judged.fine_tuned.fitted.zero_shot_probabilities(X) is None
    kept = replace(judged.head.fitted, finetuning={**judged.told, "ships": HEAD})
    assert kept.zero_shot_probabilities(judged.head.fitted.samples.X) is not None


def test_a_memory_switches_to_the_tuned_encoder_at_once(judged: Shipment, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    before = judged.head.save(path)
    assert fine_tuned(judged).save(path, version=before) == 2
    content = read_memory(path).content
    assert content.encoder == judged.fine_tuned.fitted.samples.identity
    assert content.encoder.fingerprint != judged.head.fitted.samples.identity.fingerprint
    assert len(content.exemplars) == 18


def test_a_memory_stays_as_it_is_where_tuning_brings_nothing(judged: Shipment, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    judged.head.save(path)
    kept = replace(judged, verdict=Verdict(HEAD, "no gain"))
    assert kept.save(path, version=1) is None
    assert read_memory(path).version == 1


def test_a_memory_that_was_changed_meanwhile_is_not_overwritten(judged: Shipment, tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    judged.head.save(path)
    judged.zero_shot.save(path, replace=True)
    with pytest.raises(MemoryFileError, match="changed meanwhile"):
        fine_tuned(judged).save(path, version=1)
    assert read_memory(path).content.head.name == ZERO_SHOT


def test_classes_without_texts_are_fine_tuned_and_compared_with_the_head(tmp_path: Path) -> None:
    """Their names are codes, of which the encoder's texts tell nothing: there is no zero-shot to compare with."""
    tuner = FineTuner("sketch", recipe(train="projection", steps=4, learning_rate=1e-3, folds=2), device="cpu")
    images, labels = pictures(6)
    tuned = tuner.fit(images, [KINDS.index(label) for label in labels], output=tmp_path / "run")
    judged = judge(tuner, tuned, cache=False)
    assert judged.zero_shot is None
    assert [one.name for one in judged.candidates] == [HEAD, FINE_TUNED]
    assert judged.classifier in (judged.head, judged.fine_tuned)
