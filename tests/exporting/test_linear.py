"""A linear head alone: its arrays and its graph answer as the classifier does, or it is refused."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.exporting.head_files import head_model
from inkling.exporting.linear import linear_head
from inkling.exporting.texts_alone import zero_shot_classifier
from inkling.types import FloatArray
from tests.exporting.drawn_vectors import samples_of_vectors
from tests.fakes import FakeEncoder

NAMES = ("red", "green", "blue")


def answers(classifier: FewShotClassifier, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probabilities by the graph, from embeddings of any length, and the labels' columns."""
    head = linear_head(classifier.fitted)
    session = onnxruntime.InferenceSession(head_model(head).SerializeToString())
    given = {"embedding": 7 * X[:, : head.dimension]}
    if head.feature_dimension:
        given["feature"] = 0.2 * X[:, head.dimension :]
    p, best = session.run(["probabilities", "label_id"], given)
    return p, best


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize(
    ("head", "texts"),
    [("zero-shot", True), *((head, texts) for head in ("gda", "logistic", "anchored") for texts in (False, True))],
)
def test_a_linear_head_answers_as_the_classifier(head: str, texts: bool, features: bool) -> None:
    samples, entries = samples_of_vectors(features=features, texts=texts)
    classifier = FewShotClassifier(head=head).learn(samples, entries)
    p, best = answers(classifier, samples.X)
    np.testing.assert_allclose(p, classifier.probabilities(samples.X), atol=2e-6)
    assert best.tolist() == classifier.probabilities(samples.X).argmax(axis=1).tolist()
    assert linear_head(classifier.fitted).feature_dimension == (6 if features and head in ("gda", "logistic") else 0)


def test_auto_that_ships_zero_shot_is_linear() -> None:
    samples, entries = samples_of_vectors(noise=3.0, texts=True)  # images that tell nothing
    classifier = FewShotClassifier(head="auto").learn(samples, entries)
    assert classifier.fitted.fitted_head.head.chosen_ == "zero-shot"
    np.testing.assert_allclose(answers(classifier, samples.X)[0], classifier.probabilities(samples.X), atol=2e-6)


@pytest.mark.parametrize("head", ["prototype", "cache", "kernel", "adapter", "auto"])
def test_another_head_is_refused_with_the_reason_and_the_way_on(head: str) -> None:
    samples, entries = samples_of_vectors(texts=head in ("cache", "adapter"))
    classifier = FewShotClassifier(head=head).learn(samples, entries)
    with pytest.raises(InputError, match=r"no linear map of the unit embedding.*\n.*--format onnx.*zero-shot, gda"):
        linear_head(classifier.fitted)


def test_vectors_of_zeros_are_even_odds() -> None:
    samples, entries = samples_of_vectors(texts=True)
    classifier = FewShotClassifier(head="zero-shot").learn(samples, entries)
    p, _ = answers(classifier, np.zeros((1, samples.X.shape[1]), dtype=np.float32))
    np.testing.assert_allclose(p, 1 / 3, atol=1e-7)


class TestTextsAlone:
    @pytest.fixture
    def classifier(self) -> FewShotClassifier:
        return zero_shot_classifier(NAMES, FakeEncoder(), cache=False)

    def test_it_is_zero_shot(self, classifier: FewShotClassifier) -> None:
        identity = classifier.fitted.samples.identity
        X = np.random.default_rng(0).normal(size=(50, identity.dimension + identity.feature_dimension))
        expected = classifier.fitted.zero_shot_probabilities(X)
        assert expected is not None
        np.testing.assert_allclose(answers(classifier, X.astype(np.float32))[0], expected, atol=1e-6)
        assert classifier.classes_.tolist() == sorted(NAMES)

    def test_it_classifies_pictures(self, classifier: FewShotClassifier) -> None:
        from PIL import Image

        assert classifier.predict([Image.new("RGB", (40, 40), "red")]).tolist() == ["red"]

    def test_a_code_has_no_text(self) -> None:
        with pytest.raises(InputError, match="has none for X1A9"):
            zero_shot_classifier(["red", "X1A9"], FakeEncoder(), cache=False)

    def test_one_class_is_none(self) -> None:
        with pytest.raises(InputError, match="at least two classes"):
            zero_shot_classifier(["red"], FakeEncoder(), cache=False)
