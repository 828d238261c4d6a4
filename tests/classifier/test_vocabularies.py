"""Vocabularies in an encoder's words: names to give, and names to compare images with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkling.classifier import predictor
from inkling.classifier.class_texts import embedded_entries
from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.vocabularies import namer_for, negatives_for, read_vocabulary, remaining_negatives
from inkling.discovery.vocabulary import Vocabulary, common_nouns
from inkling.embeddings.samples import StoredSamples
from inkling.errors import InputError
from inkling.types import ClassEntry
from tests.colours import picture
from tests.fakes import DIMENSION, FakeEncoder

COLOURS = Vocabulary.of_names(["red", "green", "blue", "orange", "tomato", "navy", "lime"])


def entries(*names: str, encoder: FakeEncoder | None = None) -> tuple[ClassEntry, ...]:
    return embedded_entries(names, (), encoder=encoder or FakeEncoder(), cache=None, templates=None)


def is_read(classifier: FewShotClassifier) -> bool:
    """Whether the training images of a loaded classifier were read."""
    samples = classifier.fitted.samples
    assert isinstance(samples, StoredSamples)
    return samples.are_read


def test_a_file_has_one_name_a_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\ufeffflux capacitor\n\n bench \nbench\n", encoding="utf-8")
    read = read_vocabulary(str(tmp_path / "names.txt"))
    assert read is not None
    assert sorted(read.candidates()) == ["bench", "flux capacitor"]
    assert read_vocabulary("nouns") is common_nouns()
    assert read_vocabulary(None) is None


@pytest.mark.parametrize(("content", "told"), [(b"", "is empty"), (b"\xff\xfe\xfa", "can't be read")])
def test_what_is_no_vocabulary_is_reported(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_vocabulary(str(tmp_path / "names.txt"))


def test_names_of_known_classes_are_not_given() -> None:
    encoder = FakeEncoder()
    known = entries("red", encoder=encoder)
    background = np.random.default_rng(0).normal(size=(20, DIMENSION))
    ready = namer_for(COLOURS, encoder=encoder, cache=None, background=background, entries=known)
    assert "red" not in ready.names
    blue = encoder.encode_texts(["a photo of a blue."])
    assert ready.of_each(blue, count=1) == [("blue",)]


def test_putting_a_vocabulary_into_words_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    many = Vocabulary.of_names([f"thing {number}" for number in range(700)])
    background = np.random.default_rng(0).normal(size=(20, DIMENSION))
    namer_for(
        many,
        encoder=FakeEncoder(),
        cache=None,
        background=background,
        entries=entries("red"),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[0] == (0, 700)
    assert told[-1] == (700, 700)
    assert sorted(told) == told
    assert len(set(told)) > 2


def test_negatives_are_other_names_far_from_the_known() -> None:
    encoder = FakeEncoder()
    found = negatives_for(COLOURS, entries("red", "tomato"), encoder=encoder, cache=None)
    assert found is not None
    assert found.names
    assert {"red", "tomato", "orange"}.isdisjoint(found.names)
    np.testing.assert_allclose(found.vectors, encoder.encode_texts([f"a photo of a {name}." for name in found.names]))


def test_without_texts_there_are_no_negatives() -> None:
    silent = FakeEncoder(with_texts=False)
    assert negatives_for(COLOURS, entries("red", "blue", encoder=silent), encoder=silent, cache=None) is None


def test_a_name_that_became_a_class_is_no_negative_any_more() -> None:
    encoder, words = FakeEncoder(), Vocabulary.of_names(["bench", "dog", "sofa"])
    before = negatives_for(words, entries("car", "house"), encoder=encoder, cache=None)
    assert before is not None
    (name,) = before.names
    kept = remaining_negatives(before, entries("car", "flux capacitor"))
    assert kept is not None
    assert kept.names == (name,)
    assert remaining_negatives(before, entries("car", name)) is None
    assert remaining_negatives(None, entries("car", "house")) is None


def test_names_of_unknown_images_take_some_vectors_of_a_memory_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [picture(colour, seed) for colour in ("red", "blue") for seed in range(6)]
    fitted = FewShotClassifier(FakeEncoder(), vocabulary=COLOURS, cache=False).fit(pictures, ["red"] * 6 + ["blue"] * 6)
    fitted.save(tmp_path / "a.ink")
    options: dict[str, Any] = {"encoder": FakeEncoder(), "vocabulary": COLOURS, "cache": False}
    loaded = FewShotClassifier.load(tmp_path / "a.ink", **options)
    np.testing.assert_allclose(loaded.namer().usual, fitted.namer().usual, atol=1e-6)
    assert not is_read(loaded)
    monkeypatch.setattr(predictor, "BACKGROUND", 4)
    some = np.concatenate([fitted.fitted.samples.embeddings[:2], fitted.fitted.samples.embeddings[6:8]])
    np.testing.assert_allclose(loaded.namer().usual, fitted.namer(some).usual, atol=1e-6)


def test_a_memory_of_vectors_reads_none_of_them_for_names(tmp_path: Path) -> None:
    X = np.eye(4, dtype=np.float32).repeat(5, axis=0)
    FewShotClassifier().fit_embeddings(X, np.repeat(["ant", "bee", "cat", "dog"], 5)).save(tmp_path / "a.ink")
    loaded = FewShotClassifier.load(tmp_path / "a.ink")
    assert loaded.namer().names == ()
    assert not is_read(loaded)
