"""The object that users hold, from Python: fit, predict, score, save, load, and vectors instead of images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from inkling import ClassPrompts, FewShotClassifier
from inkling.discovery.vocabulary import common_nouns
from inkling.errors import (
    EncoderError,
    EncoderMismatchError,
    InklingError,
    InputError,
    MemoryChangedError,
    MemoryFileError,
)
from inkling.types import SkippedImage, Verdict
from tests.colours import COLOURS, picture, write_colours
from tests.fakes import DIMENSION, FEATURE_DIMENSION, FakeEncoder


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "train")


@pytest.fixture
def test(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "test", seed=1)


@pytest.fixture
def fitted(train: Path) -> FewShotClassifier:
    return FewShotClassifier(FakeEncoder()).fit(train)


class TestImages:
    def test_it_learns_from_a_folder(self, fitted: FewShotClassifier, test: Path) -> None:
        assert fitted.classes_.tolist() == [*COLOURS]
        assert fitted.score(test) == 1.0

    def test_it_learns_from_paths_and_labels(self, train: Path, test: Path, fitted: FewShotClassifier) -> None:
        paths = sorted(train.rglob("*.png"))
        other = FewShotClassifier(FakeEncoder()).fit(paths, [path.parent.name for path in paths])
        assert_array_equal(other.predict_proba(test), fitted.predict_proba(test))

    def test_it_learns_from_pictures_and_arrays(self) -> None:
        pictures: list[Any] = [picture(colour, number) for colour in COLOURS for number in range(4)]
        labels = np.repeat(COLOURS, 4)
        mixed = [one if at % 2 else np.asarray(one) for at, one in enumerate(pictures)]
        assert FewShotClassifier(FakeEncoder()).fit(mixed, labels).score(pictures, labels) == 1.0

    def test_labels_may_be_numbers(self) -> None:
        pictures = [picture(colour, number) for colour in COLOURS for number in range(4)]
        labels = np.repeat([0, 1, 2], 4)
        classifier = FewShotClassifier(FakeEncoder()).fit(pictures, labels)
        assert classifier.classes_.tolist() == [0, 1, 2]
        assert classifier.score(pictures, labels) == 1.0

    def test_probabilities_are_those_of_the_classes_in_order(self, fitted: FewShotClassifier, test: Path) -> None:
        p = fitted.predict_proba(test)
        assert p.shape == (15, 3)
        assert p.sum(axis=1) == pytest.approx(np.ones(15))
        assert_array_equal(fitted.predict(test), np.repeat(COLOURS, 5))

    def test_what_cannot_be_read_has_no_label(self, fitted: FewShotClassifier, tmp_path: Path) -> None:
        (tmp_path / "bad.png").write_text("nothing")
        images = [picture("red", 7), tmp_path / "bad.png", tmp_path / "missing.png", picture("blue", 7)]
        with pytest.raises(InputError, match=r"bad\.png.*; and 1 more"):
            fitted.predict(images)
        with pytest.warns(UserWarning, match=r"bad\.png.*; and 1 more"):
            assert fitted.predict(images, errors="skip").tolist() == ["red", None, None, "blue"]
        with pytest.warns(UserWarning, match="skipped"):
            p = fitted.predict_proba(images, errors="skip")
        assert np.isnan(p[1:3]).all()
        assert np.isfinite(p[[0, 3]]).all()
        with pytest.warns(UserWarning, match="skipped"):
            assert fitted.predict(images[1:3], errors="skip").tolist() == [None, None]

    def test_the_same_picture_twice_has_one_answer(self, fitted: FewShotClassifier, test: Path) -> None:
        path = test / "red" / "0.png"
        assert fitted.predict([path, test / "blue" / "0.png", path]).tolist() == ["red", "blue", "red"]

    def test_verdicts_rank_the_classes(self, fitted: FewShotClassifier, test: Path, tmp_path: Path) -> None:
        (tmp_path / "bad.png").write_text("nothing")
        one, other = fitted.verdicts([test / "red" / "0.png", tmp_path / "bad.png"], top=2)
        assert isinstance(one, Verdict)
        assert isinstance(other, SkippedImage)
        assert one.label == one.top_labels[0] == "red"
        assert len(one.top_labels) == 2
        assert one.probability == one.top_probabilities[0] > one.top_probabilities[1]
        assert one.memory_version is None

    def test_cached_images_are_not_encoded_again(self, train: Path, tmp_path: Path) -> None:
        encoder = FakeEncoder()
        for head in ("gda", "prototype"):
            FewShotClassifier(encoder, head=head, cache=tmp_path / "cache").fit(train)
        assert encoder.n_encoded == 15
        FewShotClassifier(encoder, cache=False).fit(train)
        assert encoder.n_encoded == 30

    def test_views_are_learned_from_and_never_split_from_their_image(self, train: Path) -> None:
        encoder = FakeEncoder()
        classifier = FewShotClassifier(encoder, views=3).fit(train)
        samples = classifier.fitted.samples
        assert encoder.n_encoded == 45
        assert len(samples) == 45
        assert len(set(samples.sources)) == samples.n_images == 15

    def test_it_may_be_fitted_anew(self, fitted: FewShotClassifier, tmp_path: Path) -> None:
        other = write_colours(tmp_path / "other", colours=("black", "white"))
        assert fitted.fit(other).classes_.tolist() == ["black", "white"]

    def test_refitting_gives_the_same_by_seed(self, train: Path, test: Path) -> None:
        def probabilities(seed: int) -> Any:
            return FewShotClassifier(FakeEncoder(), seed=seed, views=2).fit(train).predict_proba(test)

        assert_array_equal(probabilities(3), probabilities(3))


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"head": "tree"}, "no head 'tree'"),
            ({"head": 3}, "head must be the name of a head, got 3"),
            ({"encoder": 3}, "encoder must be the name or the folder of an encoder, .* got 3"),
            ({"encoder": None}, "got None"),
            ({"device": "tpu"}, "device must be auto, cpu, cuda or mps, got 'tpu'"),
            ({"cache": None}, "cache must be True"),
            ({"false_alarms": 5}, "a rate between 0 and 1, got 5"),
            ({"false_alarms": "often"}, "a rate between 0 and 1, got 'often'"),
            ({"views": 0}, "views must be a whole number, 1 or more, got 0"),
            ({"views": "two"}, "got 'two'"),
            ({"views": 1.5}, "got 1.5"),
            ({"seed": -1}, "seed must be"),
            ({"seed": None}, "seed must be"),
            ({"templates": 3}, "templates must be"),
            ({"templates": ["a {}", 3]}, "templates must be"),
            ({"prompts": 3}, "prompts must be a list of ClassPrompts"),
            ({"prompts": {"car": "a car"}}, "prompts must be a list of ClassPrompts"),
            ({"seed": 2**32}, "seed must be"),
            ({"templates": "no place"}, "neither a set of templates"),
        ],
    )
    def test_options_are_checked_at_once(self, options: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            FewShotClassifier(**{"encoder": FakeEncoder()} | options)

    @pytest.mark.parametrize("name", [None, 3, b"a.ink", "a\0.ink", ["a.ink"]])
    def test_what_names_no_memory_is_refused(self, fitted: FewShotClassifier, name: Any) -> None:
        for use in (FewShotClassifier.load, fitted.save):
            with pytest.raises(InputError, match=r"path of its file .* got "):
                use(name)

    def test_what_cannot_be_fitted_is_refused_before_anything_is_encoded(self, train: Path) -> None:
        encoder = FakeEncoder()
        with pytest.raises(InputError, match="None of the 5 images has a label"):
            FewShotClassifier(encoder).fit(train / "red")
        with pytest.raises(InputError, match="at least two classes"):
            FewShotClassifier(encoder).fit([picture("red", 1)], ["red"])
        with pytest.raises(InputError, match="1 image and 2 labels"):
            FewShotClassifier(encoder).fit([picture("red", 1)], ["red", "blue"])
        assert encoder.n_encoded == 0

    @pytest.mark.parametrize("ask", ["predict", "predict_proba", "score", "verdicts"])
    def test_what_was_not_fitted_says_so(self, ask: str, test: Path) -> None:
        with pytest.raises(InputError, match="not fitted"):
            list(getattr(FewShotClassifier(FakeEncoder()), ask)(test))

    def test_nothing_readable_is_reported(self, fitted: FewShotClassifier, tmp_path: Path) -> None:
        (tmp_path / "bad.png").write_text("nothing")
        for ask in (fitted.fit, fitted.score):
            with pytest.raises(
                InputError, match=r"No image can be used\. The first is '.*bad\.png': .*; likewise 1 other\."
            ):
                ask([tmp_path / "bad.png"] * 2, ["red", "blue"])

    def test_images_without_labels_are_skipped_by_name(self, train: Path) -> None:
        shutil.copy(train / "red" / "0.png", train / "loose.png")
        classifier = FewShotClassifier(FakeEncoder()).fit(train)
        assert classifier.skipped_ == (SkippedImage(str(train / "loose.png"), "no label"),)

    def test_errors_are_of_one_kind(self) -> None:
        for kind in (InputError, EncoderError, EncoderMismatchError, MemoryFileError):
            assert issubclass(kind, InklingError)


class TestClasses:
    def test_a_class_of_one_image_takes_part(self, train: Path, test: Path) -> None:
        for path in sorted((train / "red").iterdir())[1:]:
            path.unlink()
        assert FewShotClassifier(FakeEncoder()).fit(train).score(test) == 1.0

    def test_one_image_of_each_will_do(self, tmp_path: Path, test: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit(write_colours(tmp_path / "one", 1))
        assert classifier.score(test) == 1.0

    @pytest.mark.parametrize("head", ["zero-shot", "prototype", "kernel"])
    def test_a_class_may_be_known_by_text_alone(self, train: Path, head: str) -> None:
        classifier = FewShotClassifier(FakeEncoder(), head=head, prompts=[ClassPrompts("black")]).fit(train)
        assert classifier.classes_.tolist() == ["black", *COLOURS]
        assert classifier.predict([picture("black", 1)]).tolist() == ["black"]

    def test_one_class_of_images_and_one_of_text_are_two(self, train: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder(), prompts=[ClassPrompts("black")])
        classifier.fit(sorted((train / "red").iterdir()), ["red"] * 5)
        assert classifier.predict([picture("black", 1), picture("red", 1)]).tolist() == ["black", "red"]

    def test_an_encoder_without_texts_uses_images(self, train: Path, test: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder(with_texts=False)).fit(train)
        assert all(entry.text_vector is None for entry in classifier.fitted.entries)
        assert classifier.fitted.zero_shot_probabilities(np.zeros((1, DIMENSION))) is None
        assert classifier.score(test) == 1.0

    def test_templates_that_say_nothing_to_the_encoder_are_refused(self, train: Path) -> None:
        encoder = FakeEncoder(with_texts=False)
        with pytest.raises(InputError, match="knows no class in the words"):
            FewShotClassifier(encoder, templates="simple").fit(train)
        assert encoder.n_encoded == 0

    def test_an_encoder_without_features_will_do(self, train: Path, test: Path) -> None:
        assert FewShotClassifier(FakeEncoder(with_features=False)).fit(train).score(test) == 1.0


class TestMemory:
    def test_a_memory_gives_the_same_probabilities_to_the_last_bit(
        self, fitted: FewShotClassifier, test: Path, tmp_path: Path
    ) -> None:
        assert fitted.save(tmp_path / "a.ink") == 1
        loaded = FewShotClassifier.load(tmp_path / "a.ink", encoder=FakeEncoder())
        assert_array_equal(loaded.predict_proba(test), fitted.predict_proba(test))
        assert_array_equal(loaded.classes_, fitted.classes_)
        assert loaded.finding_ == fitted.finding_
        assert loaded.skipped_ == fitted.skipped_
        assert (loaded.head, loaded.seed, loaded.memory_version) == ("auto", 0, 1)
        (verdict,) = loaded.verdicts([test / "red" / "0.png"])
        assert verdict.memory_version == 1

    @pytest.mark.parametrize("head", ["zero-shot", "gda", "kernel", "adapter", "logistic"])
    def test_each_head_comes_back(self, train: Path, test: Path, tmp_path: Path, head: str) -> None:
        fitted = FewShotClassifier(FakeEncoder(), head=head, seed=5).fit(train)
        fitted.save(tmp_path / "a.ink")
        loaded = FewShotClassifier.load(tmp_path / "a.ink", encoder=FakeEncoder())
        assert_array_equal(loaded.predict_proba(test), fitted.predict_proba(test))
        assert (loaded.head, loaded.seed) == (head, 5)

    def test_saving_replaces_only_what_it_is_asked_to(
        self, fitted: FewShotClassifier, train: Path, test: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.ink"
        assert [fitted.save(path) for _ in range(2)] == [1, 1], "what is there already is left alone"
        loaded = FewShotClassifier.load(path, encoder=FakeEncoder())
        assert loaded.save(path) == 1
        for other in (FewShotClassifier(FakeEncoder()).fit(train), loaded.fit(test)):
            with pytest.raises(MemoryFileError, match=r"There is a memory at .* would lose 3 classes") as caught:
                other.save(path)
            assert "replace=True" in str(caught.value)
        assert loaded.save(path, replace=True, version=1) == 2
        with pytest.raises(MemoryChangedError, match="it has version 2, and this began with 1"):
            fitted.save(path, replace=True, version=1)
        with pytest.raises(MemoryFileError, match="There is a memory"):
            fitted.save(path)
        assert FewShotClassifier.load(path).memory_version == 2

    def test_another_encoder_is_refused(self, fitted: FewShotClassifier, tmp_path: Path) -> None:
        fitted.save(tmp_path / "a.ink")
        with pytest.raises(EncoderMismatchError, match=r"fake-0001.*fake-0002"):
            FewShotClassifier.load(tmp_path / "a.ink", encoder=FakeEncoder(fingerprint="fake-0002"))

    def test_an_encoder_that_is_gone_is_named(self, fitted: FewShotClassifier, test: Path, tmp_path: Path) -> None:
        fitted.save(tmp_path / "a.ink")
        loaded = FewShotClassifier.load(tmp_path / "a.ink")
        with pytest.raises(EncoderError, match="'fake', is not at hand") as caught:
            loaded.predict(test)
        assert "--encoder" in str(caught.value)

    def test_what_was_loaded_can_be_fitted_anew(self, fitted: FewShotClassifier, test: Path, tmp_path: Path) -> None:
        fitted.save(tmp_path / "a.ink")
        loaded = FewShotClassifier.load(tmp_path / "a.ink", encoder=FakeEncoder())
        assert loaded.fit(test).memory_version is None

    def test_what_is_no_memory_is_left_alone(self, fitted: FewShotClassifier, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(MemoryFileError):
            fitted.save(tmp_path / "notes.txt")
        assert (tmp_path / "notes.txt").read_text() == "mine"


class TestVectors:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 16)
    y = np.repeat(["ant", "bee", "fly"], 6)
    X = centres.repeat(6, axis=0) + 0.1 * rng.normal(size=(18, 16))

    def test_vectors_are_learned_from_and_labelled(self, tmp_path: Path) -> None:
        classifier = FewShotClassifier().fit_embeddings(self.X, self.y)
        assert_array_equal(classifier.predict_embeddings(self.X), self.y)
        classifier.save(tmp_path / "v.ink")
        loaded = FewShotClassifier.load(tmp_path / "v.ink")
        assert_array_equal(loaded.probabilities(self.X), classifier.probabilities(self.X))

    def test_scaling_a_vector_changes_nothing(self) -> None:
        classifier = FewShotClassifier().fit_embeddings(self.X, self.y)
        factors = np.linspace(0.1, 30, len(self.X))[:, None]
        assert classifier.probabilities(self.X * factors) == pytest.approx(classifier.probabilities(self.X), abs=1e-6)

    def test_text_vectors_give_zero_shot(self) -> None:
        classifier = FewShotClassifier(head="zero-shot").fit_embeddings(
            self.X, self.y, text_vectors=self.centres, logit_scale=10.0
        )
        unit = (self.X / np.linalg.norm(self.X, axis=1, keepdims=True)).astype(np.float32)
        z = 10.0 * unit @ self.centres.T
        expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        p = classifier.fitted.zero_shot_probabilities(self.X)
        assert p == pytest.approx(expected, abs=1e-6)

    def test_a_class_may_have_only_text_or_only_images(self) -> None:
        text = np.vstack([self.centres[:1], np.zeros((1, 16)), np.eye(16)[15:]])
        classifier = FewShotClassifier().fit_embeddings(
            self.X[:12], self.y[:12], text_vectors=text, class_names=["ant", "bee", "wasp"]
        )
        assert classifier.classes_.tolist() == ["ant", "bee", "wasp"]
        assert classifier.predict_embeddings(np.eye(16)[15:]).tolist() == ["wasp"]

    @pytest.mark.parametrize(
        ("X", "y", "options", "told"),
        [
            (X[0], y[:1], {}, "embeddings must be numbers of shape"),
            (X, y[:5], {}, "labels has 5 rows, 18 expected"),
            (np.where(np.arange(18)[:, None] == 3, np.nan, X), y, {}, "1 row not finite, the first is row 3"),
            (X * 0, y, {}, "rows of zeros"),
            (X, ["ant"] * 18, {}, "at least two classes"),
            (X, [None] * 18, {}, "None of the 18 images has a label"),
            (X, y, {"text_vectors": np.eye(2, 16)}, "Text vectors .n_classes, d. of 3 classes"),
            (X, y, {"text_vectors": np.eye(3, 15)}, "16"),
        ],
    )
    def test_what_is_no_such_array_is_reported(self, X: Any, y: Any, options: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            FewShotClassifier().fit_embeddings(X, y, **options)

    def test_a_vocabulary_needs_an_encoder(self) -> None:
        with pytest.raises(InputError, match="Only an encoder can encode the names"):
            FewShotClassifier(vocabulary=common_nouns()).fit_embeddings(self.X, self.y)

    def test_images_do_not_meet_vectors(self, test: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit_embeddings(self.X, self.y)
        with pytest.raises(EncoderError, match="fitted on vectors"):
            classifier.predict(test)

    def test_images_may_follow_vectors(self, train: Path, test: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit_embeddings(self.X, self.y)
        assert classifier.fit(train).score(test) == 1.0

    def test_no_images_are_no_rows(self, fitted: FewShotClassifier) -> None:
        assert fitted.embed([]).X.shape == (0, DIMENSION + FEATURE_DIMENSION)
        assert fitted.predict([]).shape == (0,)


def test_the_repr_says_what_there_is(train: Path, fitted: FewShotClassifier) -> None:
    assert repr(FewShotClassifier("sketch")) == "FewShotClassifier(encoder='sketch', head='auto', not fitted)"
    assert repr(FewShotClassifier(FakeEncoder(), head="gda")) == (
        "FewShotClassifier(encoder='fake', head='gda', not fitted)"
    )
    assert repr(fitted) == "FewShotClassifier(encoder='fake', head='auto', 3 classes from 15 images)"


def test_progress_is_reported(train: Path) -> None:
    told: list[tuple[int, int]] = []
    FewShotClassifier(FakeEncoder()).fit(train, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 15)
    assert told[-1] == (15, 15)


def test_a_picture_with_alpha_is_read(fitted: FewShotClassifier) -> None:
    assert fitted.predict([Image.new("RGBA", (32, 32), "red")]).tolist() == ["red"]
