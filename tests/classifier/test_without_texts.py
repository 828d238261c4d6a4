"""An encoder of images alone is never given words in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.vocabularies import read_vocabulary
from inkling.errors import InputError
from inkling.prompts import ClassPrompts
from inkling.sketch import write_dataset
from tests.fakes import FakeEncoder


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "drawn", ("cat", "house"), 4, seed=0)
    return tmp_path / "drawn"


def test_prompts_are_refused(drawn: Path) -> None:
    prompts = (ClassPrompts("cat", prompts=("a {}",)),)
    classifier = FewShotClassifier(FakeEncoder(with_texts=False), prompts=prompts, cache=False)
    with pytest.raises(InputError, match="no text side: it has no vector for any of these prompts"):
        classifier.fit(drawn)


def test_a_vocabulary_is_refused(drawn: Path) -> None:
    vocabulary = read_vocabulary("nouns")
    classifier = FewShotClassifier(FakeEncoder(with_texts=False), vocabulary=vocabulary, cache=False)
    with pytest.raises(InputError, match="no text side, so a vocabulary"):
        classifier.fit(drawn)


def test_images_alone_are_enough(drawn: Path) -> None:
    fitted = FewShotClassifier(FakeEncoder(with_texts=False), cache=False).fit(drawn)
    assert fitted.classes_.tolist() == ["cat", "house"]


@pytest.mark.parametrize("vocabulary", [["dog", "cat"], "nouns", 3])
def test_a_vocabulary_of_another_type_is_refused(vocabulary: object) -> None:
    with pytest.raises(InputError, match=r"vocabulary must be None or a Vocabulary[\s\S]*of_names"):
        FewShotClassifier(FakeEncoder(), vocabulary=vocabulary)
