"""Every head and every score of the detector, as a graph: the answers are those of the classifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkling.exporting.answers import answers
from inkling.heads import HEADS
from inkling.heads.fitted import FittedHead
from inkling.heads.labelled_vectors import LabelledVectors
from inkling.types import FloatArray
from inkling.unknown import UnknownDetector
from inkling.unknown.choice import Choice
from inkling.unknown.negatives import Negatives
from inkling.unknown.scores import SCORES
from tests.exporting.graphs import traced
from tests.heads.samples import IMAGE_HEADS, Task, draw_task, real_task


def labelled(task: Task, *, feature: int = 0, without_images: int = 0) -> tuple[LabelledVectors, FloatArray]:
    """The task's vectors, if asked for with a feature beside them, and its test images, all as encoders give them."""
    rng = np.random.default_rng(1)
    turn = rng.normal(size=(task.X.shape[1], feature))

    def row(X: FloatArray) -> FloatArray:
        return np.hstack([X, 7.0 * X @ turn]).astype(np.float32)

    kept = task.y < task.n_classes - without_images
    classes = list(range(task.n_classes))
    vectors = LabelledVectors.of(
        row(task.X[kept]),
        task.y[kept].tolist(),
        classes=classes,
        text_vectors=task.text,
        embedding_dims=task.X.shape[1],
    )
    return vectors, row(task.test_X)


def compare(head: FittedHead, detector: UnknownDetector | None, X: FloatArray, *, dimension: int) -> None:
    found = traced(lambda value: answers(head, detector, value, dimension=dimension), X)
    p = head.probabilities(X)
    np.testing.assert_allclose(found["probabilities"], p, rtol=0, atol=1e-5)
    ordered = np.sort(p, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-4
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(found["label_id"][clear], p.argmax(axis=1)[clear])
    np.testing.assert_allclose(found["embedding"], X[:, :dimension], atol=1e-6)
    assert ("unknown" in found) == ("p_known" in found) == (detector is not None)
    if detector is not None:
        scores = detector.fused_scores(X)
        near = np.abs(detector.conformal.calibration[:, None] - scores).min(axis=0) < 1e-4
        assert near.mean() < 0.3
        np.testing.assert_array_equal(found["unknown"][~near], detector.is_unknown(X)[~near])
        np.testing.assert_array_equal(found["p_known"][~near], detector.p_known(X)[~near])


@pytest.mark.parametrize("feature", [0, 30], ids=["embedding alone", "feature"])
@pytest.mark.parametrize(("name", "text_noise"), [*((n, 1.0) for n in HEADS), *((n, None) for n in IMAGE_HEADS)])
def test_every_head(name: str, text_noise: float | None, feature: int) -> None:
    task = draw_task(n_classes=5, shots=8, dims=16, text_noise=text_noise)
    vectors, X = labelled(task, feature=feature)
    compare(FittedHead.fit(name, vectors, seed=0), None, X, dimension=16)


@pytest.mark.parametrize("shots", [1, 2, 4, 16])
def test_auto_with_any_number_of_shots(shots: int) -> None:
    vectors, X = labelled(draw_task(n_classes=6, shots=shots, dims=24))
    compare(FittedHead.fit("auto", vectors, seed=0), None, X, dimension=24)


@pytest.mark.parametrize(
    ("limit", "chosen"),
    [
        ("MAX_LOGISTIC_WORK", "zero-shot + prototype + local-gda"),
        ("MAX_LOCAL_WORK", "zero-shot + prototype + gda"),
    ],
)
def test_auto_of_large_tasks(limit: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"inkling.heads.experts.{limit}", 0)
    vectors, X = labelled(draw_task(n_classes=6, shots=10, dims=24))
    head = FittedHead.fit("auto", vectors, seed=0)
    assert head.head.chosen_.endswith(chosen)
    compare(head, None, X, dimension=24)


def test_classes_known_by_their_text_alone() -> None:
    vectors, X = labelled(draw_task(n_classes=6, shots=12, dims=24, text_noise=0.3), without_images=2)
    compare(FittedHead.fit("auto", vectors, seed=0), None, X, dimension=24)


@pytest.mark.parametrize("dims", [16, 90], ids=["more images than dimensions", "more dimensions than images"])
@pytest.mark.parametrize("name", SCORES)
def test_every_score_of_the_detector(name: str, dims: int) -> None:
    task = draw_task(n_classes=5, shots=12, dims=dims)
    vectors, X = labelled(task, feature=20)
    rng = np.random.default_rng(2)
    negatives = Negatives(tuple("abcdef"), rng.normal(size=(6, dims)))
    detector = UnknownDetector.fit(vectors, negatives=negatives, false_alarms=0.2)
    one = np.array([float(other == name) for other in detector.choice.names])
    assert one.any()
    head = FittedHead.fit("prototype", vectors, seed=0)
    compare(head, replace(detector, choice=replace(detector.choice, weights=one)), X, dimension=dims)


def test_the_fused_detector_and_auto_on_real_features(shared: Path) -> None:
    task = real_task(shared, "caltech101", shots=4, with_text=True)
    vectors, X = labelled(task)
    detector = UnknownDetector.fit(vectors, false_alarms=0.05)
    assert isinstance(detector.choice, Choice)
    compare(FittedHead.fit("auto", vectors, seed=0), detector, X, dimension=512)
