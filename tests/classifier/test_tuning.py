"""A memory whose encoder knows its images tells unknown ones all the same, and decisions keep what calibrates it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.tuning import Tuning
from inkling.embeddings.samples import given_samples
from inkling.errors import InputError
from inkling.heads.fold_spaces import FoldSpaces
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.memory.discovered import Finding, PooledImage
from inkling.memory.pool import observe, read_pool
from inkling.memory.proposals import write_proposals
from inkling.memory.store import read_memory
from inkling.memory.verify import verify
from inkling.review.decisions import Decisions
from inkling.types import ClassEntry, FloatArray
from inkling.unknown import UnknownDetector
from tests.review.cases import DIMS, KNOWN, centre, seen, vectors

SHOTS, N_FOLDS = 12, 3
LABELS = [kind for kind in KNOWN for _ in range(SHOTS)]
FOLD = np.arange(len(LABELS)) % N_FOLDS
TEXTS = np.stack([centre(kind) for kind in KNOWN])


def tuned_on(fold: int | None) -> FloatArray:
    """Images as an encoder gives them that was tuned on all, or all but those of a fold: it knows them by heart."""
    X = np.concatenate([vectors(kind, SHOTS, seed=0) for kind in KNOWN])
    known = fold != FOLD
    X[known] = 0.7 * np.repeat(TEXTS, SHOTS, axis=0)[known] + 0.3 * X[known]
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


def fold_spaces() -> FoldSpaces:
    images = np.stack([tuned_on(fold) for fold in range(N_FOLDS)])
    return FoldSpaces(FOLD, images, np.stack([np.eye(DIMS)[: len(KNOWN)]] * N_FOLDS))


def before_tuning() -> UnknownDetector | None:
    X = np.concatenate([vectors(kind, SHOTS, seed=0) for kind in KNOWN])
    return FewShotClassifier("none").fit_embeddings(X, LABELS, text_vectors=TEXTS).fitted.detector


def tuned(tuning: Tuning | None = None, **options: float) -> FewShotClassifier:
    entries = [ClassEntry(kind, text_vector=np.eye(DIMS)[k]) for k, kind in enumerate(KNOWN)]
    classifier = FewShotClassifier("none", **options)
    samples = given_samples(tuned_on(None), LABELS, logit_scale=100.0)
    return classifier.learn(samples, entries, tuning=tuning or Tuning(fold_spaces(), before_tuning()))


def propose_benches(path: Path) -> None:
    samples = seen("bench", n=8)
    images = [PooledImage(name, name, 0.01, b"jpeg") for name in samples.paths]
    observe(path, images, samples.X, fingerprint=samples.identity.fingerprint)
    members = tuple(map(int, read_pool(path).ids))
    write_proposals(path, [Finding(members, 8, 0.9, ({"name": "bench", "score": 0.5},), "ant", 1.5)])


def test_known_images_stay_known_to_an_encoder_that_was_tuned_on_others() -> None:
    classifier = tuned()
    detector = classifier.fitted.detector
    assert detector is not None
    assert detector.tuned
    known, naive = classifier.judge(seen(*KNOWN, n=30)), UnknownDetector.fit(LabelledVectors.of(tuned_on(None), LABELS))
    assert np.mean([bool(one.unknown) for one in known]) < 0.12
    assert naive.is_unknown(seen(*KNOWN, n=30).X).mean() > 0.5
    assert all(one.unknown for one in classifier.judge(seen("bench")))
    assert "each judged by a training without it" in classifier.fitted.unknown


@pytest.mark.parametrize(
    ("tuning", "reason"),
    [
        (Tuning(None, None), "too few to leave any out"),
        (Tuning(fold_spaces(), before_tuning(), tuned_before=True), "had been tuned before"),
    ],
)
def test_nothing_is_reported_where_every_encoder_has_seen_the_images(tuning: Tuning, reason: str) -> None:
    classifier = tuned(tuning)
    assert classifier.fitted.detector is None
    assert "unknown images are not told" in classifier.fitted.unknown
    assert reason in classifier.fitted.unknown
    with pytest.raises(InputError, match=reason):
        tuned(tuning, false_alarms=0.1)


def test_a_rate_that_was_asked_for_holds_or_is_refused() -> None:
    detector = tuned(false_alarms=0.1).fitted.detector
    assert detector is not None
    assert detector.false_alarms == 0.1
    with pytest.raises(InputError, match="at least 99 known images to calibrate on, and there are 72"):
        tuned(false_alarms=0.01)
    single = replace(fold_spaces(), fold=np.where(FOLD == 0, -1, FOLD))
    with pytest.raises(InputError, match="and there are 48"):
        tuned(Tuning(single, before_tuning()), false_alarms=0.01)


def test_decisions_keep_what_the_trainings_calibrated_and_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "a.ink"
    classifier = tuned(false_alarms=0.08)
    classifier.save(path)
    first, decide = read_memory(path).content.detector, Decisions(path)
    assert first is not None
    decide.remove_class("eel")
    removed = read_memory(path).content.detector
    assert removed is not None
    for name in ("calibration", "scale.mean", "scale.deviation", "weights"):
        np.testing.assert_array_equal(removed.arrays[name], first.arrays[name])
    assert removed.params["n_classes"] == len(KNOWN) - 1
    propose_benches(path)
    decide.accept(1, "bench")
    after = FewShotClassifier.load(path)
    assert all(one.unknown for one in after.judge(seen("eel")))
    benches = after.judge(seen("bench", n=30, seed=3))
    assert {one.label for one in benches} == {"bench"}
    assert np.mean([bool(one.unknown) for one in benches]) < 0.5
    assert after.fitted.detector is not None
    assert (after.fitted.detector.tuned, after.fitted.detector.false_alarms) == (True, 0.08)
    decide.refit()
    for _ in range(3):
        decide.undo()
    back = FewShotClassifier.load(path)
    assert [one.p_known for one in back.judge(seen(*KNOWN, "lamp"))] == [
        one.p_known for one in classifier.judge(seen(*KNOWN, "lamp"))
    ]
    assert verify(path).version == read_memory(path).version
    assert [event.verb for event in decide.history()][-3:] == ["undo"] * 3
