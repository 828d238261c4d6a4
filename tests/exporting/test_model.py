"""One model with two entries: a picture of any size, and prepared pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from inkling import FewShotClassifier
from inkling.exporting.graph import Graph
from inkling.exporting.model import build_model
from tests.exporting.graphs import run
from tests.heads.samples import draw_task

NO_PICTURE = np.zeros((0, 0, 3), np.uint8)
WEIGHTS = np.random.default_rng(0).normal(size=(12, 16)).astype(np.float32)


@dataclass(frozen=True)
class Pixels:
    """An entry for 2 x 2 pixels."""

    name: str
    axes: tuple[int, ...] = (3, 2, 2)


@dataclass(frozen=True)
class Corner:
    """An image side that reads the upper left corner of a picture, so often as it has entries."""

    entries: tuple[Pixels, ...] = (Pixels("pixel_values"),)

    def prepare(self, graph: Graph, image: str) -> Sequence[str]:
        corner = graph.node("Slice", image, graph.constant([0, 0]), graph.constant([2, 2]), graph.constant([0, 1]))
        floats = graph.node("Cast", graph.node("Transpose", corner, perm=[2, 0, 1]), to=1)
        return [graph.node("Unsqueeze", floats, graph.constant([0])) for _ in self.entries]

    def encode(self, graph: Graph, prepared: Sequence[str]) -> str:
        flat = graph.node("Flatten", graph.node("Mean", *prepared))
        return graph.node("LpNormalization", graph.node("MatMul", flat, graph.constant(WEIGHTS)), axis=-1)


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(1).integers(1, 255, (n, 5, 7, 3), dtype=np.uint8)


def prepared(images: np.ndarray) -> np.ndarray:
    return images[:, :2, :2].transpose(0, 3, 1, 2).astype(np.float32)


def vectors(images: np.ndarray) -> np.ndarray:
    X = prepared(images).reshape(len(images), -1) @ WEIGHTS
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def classifier() -> FewShotClassifier:
    task = draw_task(n_classes=3, shots=12, dims=16, text_noise=None)
    return FewShotClassifier(head="gda", false_alarms=0.1).fit_embeddings(task.X.astype(np.float32), task.y)


def test_a_picture_and_prepared_pictures_answer_alike(classifier: FewShotClassifier) -> None:
    model = build_model(classifier.fitted, Corner(), description="corners")
    images = pictures(6)
    one_by_one = [run(model, {"image": image}) for image in images]
    together = run(model, {"image": NO_PICTURE, "pixel_values": prepared(images)})
    assert {name: value.dtype.name for name, value in together.items()} == {
        "probabilities": "float32",
        "label_id": "int64",
        "embedding": "float32",
        "unknown": "bool",
        "p_known": "float64",
    }
    for name, values in together.items():
        np.testing.assert_allclose(np.concatenate([one[name] for one in one_by_one]), values, atol=1e-6)
    X = vectors(images)
    np.testing.assert_allclose(together["probabilities"], classifier.probabilities(X), atol=1e-5)
    assert classifier.fitted.detector is not None
    np.testing.assert_array_equal(together["p_known"], classifier.fitted.detector.p_known(X))


def test_the_picture_comes_before_the_prepared_ones(classifier: FewShotClassifier) -> None:
    model = build_model(classifier.fitted, Corner(), description="corners")
    images = pictures(3)
    found = run(model, {"image": images[0], "pixel_values": prepared(images[1:])})["embedding"]
    np.testing.assert_allclose(found, vectors(images), atol=1e-6)


def test_encoders_that_are_joined_have_an_entry_each(classifier: FewShotClassifier) -> None:
    two = Corner((Pixels("pixel_values"), Pixels("pixel_values_2")))
    model = build_model(classifier.fitted, two, description="corners twice")
    images = pictures(2)
    batch = prepared(images)
    both = run(model, {"image": NO_PICTURE, "pixel_values": batch, "pixel_values_2": batch})["embedding"]
    np.testing.assert_allclose(both, vectors(images), atol=1e-6)
    np.testing.assert_allclose(run(model, {"image": images[0]})["embedding"], vectors(images[:1]), atol=1e-6)


def test_without_a_detector_nothing_is_called_unknown(classifier: FewShotClassifier) -> None:
    task = draw_task(n_classes=3, shots=1, dims=16, text_noise=None)
    alone = FewShotClassifier(head="prototype").fit_embeddings(task.X.astype(np.float32), task.y)
    assert alone.fitted.detector is None
    found = run(build_model(alone.fitted, Corner(), description="corners"), {"image": pictures(1)[0]})
    assert set(found) == {"probabilities", "label_id", "embedding"}
