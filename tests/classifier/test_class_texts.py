"""Classes in words: means over prompts against an independent computation, and what an encoder does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling.classifier.class_texts import embedded_entries, given_entries, text_matrix
from inkling.embeddings.cache import EmbeddingCache
from inkling.errors import InputError
from inkling.prompts import SIMPLE_TEMPLATES, ClassPrompts
from tests.fakes import FakeEncoder


@dataclass
class ClosedEncoder(FakeEncoder):
    """Knows a few names, in one template."""

    names: tuple[str, ...] = ("red", "blue")

    @property
    def text_template(self) -> str:
        return "a {}"

    def missing_texts(self, texts: Sequence[str]) -> list[str]:
        known = {f"a {name}" for name in self.names}
        return [text for text in texts if text not in known]


def words(encoder: FakeEncoder, names: Sequence[str], *prompts: ClassPrompts, templates: str | None = None) -> dict:
    made = embedded_entries(names, prompts, encoder=encoder, cache=None, templates=templates)
    return {entry.name: entry for entry in made}


def test_a_class_vector_is_the_unit_mean_of_its_prompts() -> None:
    encoder = FakeEncoder()
    vector = words(encoder, ["crane"], templates="simple")["crane"].text_vector
    by_hand = np.zeros(encoder.identity.dimension)
    for template in SIMPLE_TEMPLATES:
        (one,) = FakeEncoder().encode_texts([template.replace("{}", "crane")]).astype(float)
        by_hand += one / np.sqrt((one**2).sum())
    by_hand /= np.sqrt((by_hand**2).sum())
    assert vector == pytest.approx(by_hand, abs=1e-6)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)


def test_aliases_count_like_the_name() -> None:
    made = words(FakeEncoder(), ["crane"], ClassPrompts("crane", aliases=("sarus",)))["crane"]
    both = FakeEncoder().encode_texts(["a photo of a crane.", "a photo of a sarus."]).astype(float).sum(axis=0)
    assert made.text_vector == pytest.approx(both / np.linalg.norm(both), abs=1e-6)
    assert made.aliases == ("sarus",)
    assert made.prompts == ("a photo of a crane.", "a photo of a sarus.")


def test_classes_are_sorted_and_encoded_together() -> None:
    encoder = FakeEncoder()
    assert list(words(encoder, ["wasp", "ant", "bee"])) == ["ant", "bee", "wasp"]
    assert len(encoder.texts_encoded) == 3


def test_texts_are_encoded_once_and_kept(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    with EmbeddingCache(tmp_path) as cache:
        first, again = (
            embedded_entries(["ant", "bee"], [], encoder=encoder, cache=cache, templates="imagenet") for _ in range(2)
        )
    assert len(encoder.texts_encoded) == len(set(encoder.texts_encoded))
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one.text_vector, other.text_vector)


class TestWhatAnEncoderDoesNotKnow:
    def test_a_closed_vocabulary_is_asked_in_its_own_template(self) -> None:
        made = words(ClosedEncoder(), ["red", "teal"])
        assert made["red"].prompts == ("a red",)
        assert made["red"].text_vector is not None
        assert made["teal"].text_vector is None
        assert made["teal"].prompts == ()

    def test_an_alias_may_be_known_where_the_name_is_not(self) -> None:
        made = words(ClosedEncoder(), ["crimson"], ClassPrompts("crimson", aliases=("red",)))["crimson"]
        (red,) = FakeEncoder().encode_texts(["a red"])
        assert made.prompts == ("a red",)
        assert made.text_vector == pytest.approx(red, abs=1e-6)

    def test_other_templates_are_refused_with_the_one_that_is_known(self) -> None:
        with pytest.raises(InputError, match="knows no class in the words") as caught:
            words(ClosedEncoder(), ["red", "blue"], templates="simple")
        assert "'a {}'" in str(caught.value)

    def test_a_class_of_prompts_alone_takes_part_only_with_a_vector(self) -> None:
        made = words(ClosedEncoder(), ["red"], ClassPrompts("blue"), ClassPrompts("teal"))
        assert list(made) == ["blue", "red"]

    def test_without_a_text_side_names_and_aliases_remain(self) -> None:
        made = words(FakeEncoder(with_texts=False), ["crane"], ClassPrompts("crane", aliases=("sarus",)))
        assert made["crane"].text_vector is None
        assert made["crane"].aliases == ("sarus",)


class TestGivenVectors:
    def test_rows_are_brought_to_unit_length_and_empty_ones_are_none(self) -> None:
        vectors = np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, np.nan]])
        ant, bee, wasp = given_entries(["ant", "bee", "wasp"], ["ant", "bee", "wasp"], vectors)
        assert ant.text_vector == pytest.approx([0.6, 0.8])
        assert bee.text_vector is None
        assert wasp.text_vector is None

    def test_a_class_with_neither_is_left_out(self) -> None:
        made = given_entries(["ant"], ["ant", "bee", "wasp"], np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        assert [entry.name for entry in made] == ["ant", "bee"]

    def test_images_may_be_of_classes_without_a_row(self) -> None:
        made = given_entries(["ant", "fly"], ["ant"], np.eye(1, 2))
        assert [(entry.name, entry.text_vector is None) for entry in made] == [("ant", False), ("fly", True)]

    @pytest.mark.parametrize("vectors", [np.eye(2), np.ones(3), np.ones((3, 2, 1))])
    def test_rows_must_be_those_of_the_names(self, vectors: np.ndarray) -> None:
        with pytest.raises(InputError, match="of 3 classes were expected"):
            given_entries(["ant"], ["ant", "bee", "wasp"], vectors)

    def test_a_matrix_has_gaps_where_a_class_has_no_vector(self) -> None:
        entries = given_entries(["ant", "bee"], ["ant"], np.eye(1, 3))
        matrix = text_matrix(entries, 3)
        assert matrix is not None
        assert matrix[0].tolist() == [1.0, 0.0, 0.0]
        assert np.isnan(matrix[1]).all()
        assert text_matrix(given_entries(["ant", "bee"], [], None), 3) is None
