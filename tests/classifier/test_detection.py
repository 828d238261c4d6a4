"""Unknown images are detected at the rate that was asked for, from the memory as before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.classifier.detection import with_detector
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.persistence import WITHOUT_DETECTOR
from inkling.classifier.refit_detector import refit_detector
from inkling.discovery.vocabulary import Vocabulary
from inkling.errors import EncoderError, InputError
from inkling.memory.store import read_memory
from inkling.review.decisions import Decisions
from inkling.review.explore import explore
from inkling.types import FloatArray
from inkling.unknown import Negatives
from tests.review.cases import KNOWN, Named, centre, fitted_memory, seen


def test_verdicts_say_unknown_and_how_sure(tmp_path: Path) -> None:
    classifier = fitted_memory(tmp_path / "a.ink")
    unknown = classifier.judge(seen("bench"))
    known = classifier.judge(seen(*KNOWN, n=30))
    assert all(one.unknown for one in unknown)
    assert all(one.label in KNOWN for one in unknown)
    assert max(one.p_known or 0 for one in unknown) <= 0.05
    assert np.mean([bool(one.unknown) for one in known]) < 0.12


def test_a_memory_gives_the_same_verdicts(tmp_path: Path) -> None:
    classifier = fitted_memory(tmp_path / "a.ink", false_alarms=0.1)
    again = FewShotClassifier.load(tmp_path / "a.ink")
    samples = seen(*KNOWN, "lamp")
    assert [(one.unknown, one.p_known) for one in classifier.judge(samples)] == [
        (one.unknown, one.p_known) for one in again.judge(samples)
    ]
    assert again.fitted.unknown == classifier.fitted.unknown
    assert again.fitted.detector is not None
    assert again.fitted.detector.false_alarms == 0.1


def test_a_rate_that_the_images_cannot_support_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 99 known images"):
        fitted_memory(tmp_path / "a.ink", false_alarms=0.01)
    assert not (tmp_path / "a.ink").exists()


def test_without_a_rate_too_few_images_do_without(tmp_path: Path) -> None:
    classifier = fitted_memory(tmp_path / "a.ink", shots=2)
    assert "unknown images are not told" in classifier.fitted.unknown
    verdict = classifier.judge(seen("bench", n=1))[0]
    assert (verdict.unknown, verdict.p_known) == (None, None)


def test_a_detector_is_fitted_again_with_its_rate_and_weights(tmp_path: Path) -> None:
    fitted_memory(tmp_path / "a.ink", false_alarms=0.08)
    before = read_memory(tmp_path / "a.ink").content
    Decisions(tmp_path / "a.ink").remove_class("eel")
    after = FewShotClassifier.load(tmp_path / "a.ink")
    assert after.fitted.detector is not None
    assert after.fitted.detector.false_alarms == 0.08
    assert all(one.unknown for one in after.judge(seen("eel")))
    assert after.fitted.unknown == after.fitted.detector.finding
    assert "from 60 images" in after.fitted.unknown
    again = refit_detector(before)
    assert again is not None
    assert before.detector is not None
    weights = before.detector.arrays["weights"]
    in_use = dict(zip(before.detector.params["scores"], weights, strict=True))
    kept = [in_use[name] for name in again.params["scores"]]
    assert sum(kept) == pytest.approx(1.0)
    np.testing.assert_allclose(again.arrays["weights"], kept)


def test_unknown_images_get_likely_names_where_they_are_asked_for(tmp_path: Path) -> None:
    fitted_memory(tmp_path / "a.ink")
    classifier = Named.load(tmp_path / "a.ink")
    samples = seen(*KNOWN, "bench")
    named = classifier.judge(samples, names=2)
    assert {one.names[0] for one, path in zip(named, samples.paths, strict=True) if "bench" in path} == {"bench"}
    assert all(len(one.names) == (2 if one.unknown else 0) for one in named)
    assert not any(one.names for one in classifier.judge(samples))


def test_vectors_without_an_encoder_go_without_names(tmp_path: Path) -> None:
    fitted_memory(tmp_path / "a.ink")
    verdicts = FewShotClassifier.load(tmp_path / "a.ink").judge(seen("bench"), names=3)
    assert all(one.unknown and not one.names for one in verdicts)
    words = Vocabulary.of_names(["bench"])
    with pytest.raises(EncoderError, match="fitted on vectors"):
        FewShotClassifier.load(tmp_path / "a.ink", vocabulary=words).judge(seen("bench"), names=3)


def test_an_accepted_class_leaves_the_names_that_images_are_compared_with(tmp_path: Path) -> None:
    classifier = fitted_memory(tmp_path / "a.ink")
    names = ("bench", "lamp", "sofa")
    entries = [replace(one, text_vector=unit(one.name)) for one in classifier.fitted.entries]
    negatives = Negatives(names, np.stack([unit("bench"), unit("lamp"), unit("lamp")]))
    classifier.learn(classifier.fitted.samples, entries, negatives=negatives).save(tmp_path / "a.ink", replace=True)
    explore(tmp_path / "a.ink", Named.load(tmp_path / "a.ink"), seen(*KNOWN, "bench"), min_images=5)
    decisions = Decisions(tmp_path / "a.ink")
    (proposal,) = decisions.proposals()
    decisions.accept(proposal.id, name="bench")
    detector = FewShotClassifier.load(tmp_path / "a.ink").fitted.detector
    assert detector is not None
    assert detector.negatives is not None
    assert detector.negatives.names == ("lamp", "sofa")
    assert "negative_labels" in detector.choice.names


def unit(kind: str) -> FloatArray:
    return np.asarray(centre(kind) / np.linalg.norm(centre(kind)), dtype=np.float32)


def test_a_detector_that_was_taken_out_promises_nothing(tmp_path: Path) -> None:
    fitted_memory(tmp_path / "a.ink")
    Decisions(tmp_path / "a.ink", detect=lambda _: None).remove_class("eel")
    assert FewShotClassifier.load(tmp_path / "a.ink").fitted.unknown == WITHOUT_DETECTOR
    Decisions(tmp_path / "a.ink").undo()
    assert "false alarms requested" in FewShotClassifier.load(tmp_path / "a.ink").fitted.unknown


def test_the_range_takes_in_that_vectors_may_be_means_of_views(tmp_path: Path) -> None:
    """Nobody here knows how vectors were made that were handed over; of images that are embedded here it is known."""
    handed_over = fitted_memory(tmp_path / "a.ink").fitted
    assert handed_over.detector is not None
    assert handed_over.detector.conformal.slack.harder > 0
    assert "means of several" in handed_over.unknown
    back = FewShotClassifier.load(tmp_path / "a.ink").fitted.detector
    assert back is not None
    assert back.conformal.slack == handed_over.detector.conformal.slack
    assert back.realised == handed_over.detector.realised
    own = replace(handed_over.samples, identity=replace(handed_over.samples.identity, source="sketch"))
    embedded = with_detector(replace(handed_over, samples=own), false_alarms=None).detector
    assert embedded is not None
    assert embedded.realised.high < handed_over.detector.realised.high
    assert "means of several" not in embedded.finding
