"""From labelled samples to a head: what can be fitted on, and what a verdict is."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.classifier.class_texts import given_entries
from inkling.classifier.fitted import (
    FittedClassifier,
    fit_classifier,
    labelled_rows,
    reopen_encoder,
    require_classes,
    require_readable,
)
from inkling.embeddings.samples import Samples, given_samples
from inkling.errors import EncoderError, EncoderMismatchError, InputError
from inkling.types import EncoderIdentity, SkippedImage
from tests.fakes import FakeEncoder

CENTRES = np.eye(3, 8)
NAMES = ["ant", "bee", "fly"]


def samples(per_class: int = 6, seed: int = 0) -> Samples:
    noise = np.random.default_rng(seed).normal(size=(3 * per_class, 8))
    return given_samples(CENTRES.repeat(per_class, axis=0) + 0.1 * noise, np.repeat(NAMES, per_class), logit_scale=9.0)


@pytest.fixture(scope="module")
def fitted() -> FittedClassifier:
    return fit_classifier(samples(), given_entries(NAMES, NAMES, CENTRES), head="gda", seed=0)


def test_classes_are_columns_in_sorted_order() -> None:
    entries = given_entries(NAMES, NAMES, CENTRES)[::-1]
    made = fit_classifier(samples(), entries, head="prototype", seed=0)
    assert made.classes == tuple(NAMES)
    assert [entry.name for entry in made.entries] == NAMES
    assert made.fitted_head.probabilities(CENTRES).argmax(axis=1).tolist() == [0, 1, 2]


def test_zero_shot_is_the_softmax_of_scaled_cosines(fitted: FittedClassifier) -> None:
    X = np.random.default_rng(1).normal(size=(5, 8))
    p = fitted.zero_shot_probabilities(X)
    for row, x in zip(p, X, strict=True):
        z = np.array([9.0 * x @ t / np.sqrt(x @ x) for t in CENTRES])
        assert row == pytest.approx(np.exp(z) / np.exp(z).sum(), abs=1e-6)


def test_there_is_no_zero_shot_where_a_class_has_no_text() -> None:
    made = fit_classifier(samples(), given_entries(NAMES, NAMES[:2], CENTRES[:2]), head="prototype", seed=0)
    assert made.zero_shot_probabilities(CENTRES) is None


class TestVerdicts:
    def test_they_rank_the_classes_by_probability(self, fitted: FittedClassifier) -> None:
        asked = samples(2, seed=3)
        verdicts = fitted.judge(asked, top=3, memory_version=4)
        p = fitted.fitted_head.probabilities(asked.X)
        for row, verdict in zip(p, verdicts, strict=True):
            assert verdict.top_probabilities == tuple(sorted(row, reverse=True))
            assert [NAMES[k] for k in np.argsort(-row)] == list(verdict.top_labels)
            assert (verdict.label, verdict.probability) == (verdict.top_labels[0], verdict.top_probabilities[0])
            assert verdict.memory_version == 4

    @pytest.mark.parametrize(("top", "named"), [(1, 1), (2, 2), (9, 3), (0, 1)])
    def test_they_name_as_many_classes_as_asked_for(self, fitted: FittedClassifier, top: int, named: int) -> None:
        assert {len(one.top_labels) for one in fitted.judge(samples(1), top=top, memory_version=None)} == {named}

    def test_none_come_of_nothing(self, fitted: FittedClassifier) -> None:
        assert fitted.judge(samples().keep([]), top=5, memory_version=None) == []

    def test_vectors_of_another_encoder_are_refused(self, fitted: FittedClassifier) -> None:
        other = given_samples(np.eye(2, 9), ["ant", "bee"], logit_scale=9.0)
        with pytest.raises(EncoderMismatchError):
            fitted.judge(other, top=1, memory_version=None)


class TestWhatCanBeTrainedOn:
    def test_two_classes_at_least(self) -> None:
        require_classes(["ant", "bee"])
        with pytest.raises(InputError, match="found 1: ant"):
            require_classes(["ant", "ant"])
        with pytest.raises(InputError, match="found 0: none"):
            require_classes([])

    def test_rows_with_a_label_and_the_names_of_the_others(self) -> None:
        rows, skipped = labelled_rows(["a", "b", "c", "b"], ["ant", None, "bee", None])
        assert rows == [0, 2]
        assert skipped == (SkippedImage("b", "no label"),)
        with pytest.raises(InputError, match="The image has no label"):
            labelled_rows(["a", "a"], [None, None])

    def test_an_image_is_named_where_nothing_is_left(self) -> None:
        require_readable(samples())
        skipped = [SkippedImage("a", "empty"), SkippedImage("b", "cut"), SkippedImage("c", "empty")]
        with pytest.raises(InputError, match="No image can be used") as caught:
            require_readable(samples().keep([]).also_skipped(skipped))
        assert "The first is 'a': empty; 2 others." in str(caught.value)
        with pytest.raises(InputError, match=r"The first is 'a': empty; likewise 1 other\."):
            require_readable(samples().keep([]).also_skipped([skipped[0], skipped[2]]))


class TestTheEncoderAgain:
    def test_it_is_found_if_it_is_the_same(self) -> None:
        encoder = FakeEncoder()
        assert reopen_encoder(encoder.identity, lambda: encoder) is encoder

    def test_another_is_refused(self) -> None:
        with pytest.raises(EncoderMismatchError):
            reopen_encoder(FakeEncoder().identity, lambda: FakeEncoder(fingerprint="other"))

    def test_one_that_is_gone_is_named(self) -> None:
        def gone() -> FakeEncoder:
            raise EncoderError("There is no such folder.", remedy="Look for it.")

        with pytest.raises(EncoderError, match=r"'fake', is not at hand\. There is no such folder\.") as caught:
            reopen_encoder(FakeEncoder().identity, gone)
        assert caught.value.remedy == "Say where it is now: --encoder, in Python the option encoder. Look for it."

    @pytest.mark.parametrize("source", ["precomputed", "somewhere/own.npz"])
    def test_vectors_have_none(self, source: str) -> None:
        identity = EncoderIdentity("precomputed", source, "precomputed:8+0", 8, 0, 100.0, "float32")
        with pytest.raises(EncoderError, match="fitted on vectors"):
            reopen_encoder(identity, FakeEncoder)
