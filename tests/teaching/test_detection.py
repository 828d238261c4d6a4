"""Unknown images are told at the rate that was asked for, from the memory as before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkling.classifier import FewShotClassifier
from inkling.decisions.decisions import Decisions
from inkling.errors import InputError
from inkling.memory.store import read_memory
from inkling.teaching.again import detector_again
from tests.exploration.cases import KNOWN, seen, taught


def test_verdicts_say_unknown_and_how_sure(tmp_path: Path) -> None:
    classifier = taught(tmp_path / "a.ink")
    strange = classifier.judge(seen("bench"))
    known = classifier.judge(seen(*KNOWN, n=30))
    assert all(one.unknown for one in strange)
    assert all(one.label in KNOWN for one in strange)
    assert max(one.p_known or 0 for one in strange) <= 0.05
    assert np.mean([bool(one.unknown) for one in known]) < 0.12


def test_a_memory_gives_the_same_verdicts(tmp_path: Path) -> None:
    classifier = taught(tmp_path / "a.ink", false_alarms=0.1)
    again = FewShotClassifier.load(tmp_path / "a.ink")
    samples = seen(*KNOWN, "lamp")
    assert [(one.unknown, one.p_known) for one in classifier.judge(samples)] == [
        (one.unknown, one.p_known) for one in again.judge(samples)
    ]
    assert again.taught.unknown == classifier.taught.unknown
    assert again.taught.detector is not None
    assert again.taught.detector.false_alarms == 0.1


def test_a_rate_that_the_images_cannot_support_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 99 known images"):
        taught(tmp_path / "a.ink", false_alarms=0.01)
    assert not (tmp_path / "a.ink").exists()


def test_without_a_rate_too_few_images_do_without(tmp_path: Path) -> None:
    classifier = taught(tmp_path / "a.ink", shots=2)
    assert "unknown images are not told" in classifier.taught.unknown
    verdict = classifier.judge(seen("bench", n=1))[0]
    assert (verdict.unknown, verdict.p_known) == (None, None)


def test_a_detector_is_taught_again_with_its_rate_and_weights(tmp_path: Path) -> None:
    taught(tmp_path / "a.ink", false_alarms=0.08)
    before = read_memory(tmp_path / "a.ink").content
    Decisions(tmp_path / "a.ink").remove_class("eel")
    after = FewShotClassifier.load(tmp_path / "a.ink")
    assert after.taught.detector is not None
    assert after.taught.detector.false_alarms == 0.08
    assert all(one.unknown for one in after.judge(seen("eel")))
    assert after.taught.unknown == after.taught.detector.finding
    assert "from 60 images" in after.taught.unknown
    again = detector_again(before)
    assert again is not None
    assert before.detector is not None
    np.testing.assert_allclose(again.arrays["weights"], before.detector.arrays["weights"])
