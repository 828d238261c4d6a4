"""Texts that tell nothing are left out, and it is said for which classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from inkling import ClassPrompts, FewShotClassifier
from inkling.classifier.indistinct import is_code
from inkling.errors import InputError
from tests.colours import picture
from tests.fakes import FakeEncoder


class Cut(FakeEncoder):
    """Reads the first fourteen letters of a text, and rounds a little differently each time."""

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        noise = np.random.default_rng(len(texts)).normal(size=(len(texts), self.identity.dimension))
        return super().encode_texts([text[:14] for text in texts]) + 1e-7 * noise.astype(np.float32)


@pytest.mark.parametrize(
    "name",
    ["0", "007", "12.5", "DSC", "DSC_0012", "IMG_1234", "n01440764", "c10", "class_3", "Class 12", "A", "b", "-", "x1"],
)
def test_numbers_and_codes_tell_nothing(name: str) -> None:
    assert is_code(name)


@pytest.mark.parametrize(
    "name",
    [
        "ant",
        "ox",
        "TV",
        "lynx",
        "gym",
        "polar_bear",
        "boeing 747",
        "3d printer",
        "iphone 6",
        "\u732b",
        "\u043a\u043e\u0442",
        "caf\u00e9",
    ],
)
def test_words_tell_something(name: str) -> None:
    assert not is_code(name)


def fitted(labels: dict[str, str], **options: object) -> FewShotClassifier:
    """Pictures of colours under other names."""
    images = [picture(colour, number) for colour in labels.values() for number in range(5)]
    y = [name for name in labels for _ in range(5)]
    return FewShotClassifier(**{"encoder": FakeEncoder(), "cache": False, **options}).fit(images, y)


def with_text(classifier: FewShotClassifier) -> set[str]:
    return {entry.name for entry in classifier.fitted.entries if entry.text_vector is not None}


def test_codes_get_no_text_and_it_is_said() -> None:
    classifier = fitted({"0": "red", "007": "blue", "green": "green"})
    assert with_text(classifier) == {"green"}
    assert classifier.fitted.text_finding == "texts are left out for 2 classes whose name is a code (0, 007)"
    assert fitted({"0": "red", "1": "blue"}).fitted.text_vectors is None


def test_prompts_of_its_own_make_a_code_speak() -> None:
    prompts = [ClassPrompts("0", ("a photo of a red.",))]
    classifier = fitted({"0": "red", "green": "green"}, prompts=prompts)
    assert with_text(classifier) == {"0", "green"}
    assert classifier.fitted.text_finding is None


def test_one_text_for_several_classes_is_none() -> None:
    classifier = fitted({"polar bear": "red", "polar_bear": "blue", "green": "green"})
    assert with_text(classifier) == {"green"}
    assert classifier.fitted.text_finding == (
        "texts are left out for 2 classes whose text is that of another (polar bear, polar_bear)"
    )


def test_texts_may_become_one_where_they_are_cut_off() -> None:
    classifier = fitted({"red": "red", "rye": "blue", "green": "green"}, encoder=Cut(), templates="a photo of an {}")
    assert classifier.fitted.text_vectors is None
    assert "3 classes whose text is that of another" in str(classifier.fitted.text_finding)


def test_a_class_of_text_alone_needs_one_of_its_own() -> None:
    with pytest.raises(InputError, match="that of another class: polar_bear"):
        fitted({"polar bear": "red", "green": "green"}, prompts=[ClassPrompts("polar_bear")])


def test_a_memory_knows_why(tmp_path: Path) -> None:
    classifier = fitted({"0": "red", "1": "blue", "green": "green"})
    classifier.save(tmp_path / "a.ink")
    assert FewShotClassifier.load(tmp_path / "a.ink").fitted.text_finding == classifier.fitted.text_finding


def test_own_text_vectors_that_are_one_are_left_out_with_a_warning() -> None:
    X, y = np.eye(9), ["ant", "bee", "cat"] * 3
    texts = np.eye(9)[[0, 1, 1]]
    with pytest.warns(UserWarning, match=r"text vector is that of another: bee, cat"):
        assert with_text(FewShotClassifier().fit_embeddings(X, y, text_vectors=texts)) == {"ant"}
    with pytest.raises(InputError, match="that of another class: eel"):
        FewShotClassifier().fit_embeddings(
            X, y, text_vectors=np.eye(9)[[0, 1, 2, 2]], class_names=["ant", "bee", "cat", "eel"]
        )
