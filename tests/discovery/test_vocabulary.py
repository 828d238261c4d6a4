"""Words, what they mean, and which of them no known class deserves."""

from __future__ import annotations

from importlib.resources import files

import pytest

from inkling.discovery.vocabulary import NO_PARENT, Vocabulary, common_nouns, unrelated_names
from inkling.errors import InputError

SMALL = Vocabulary(
    names=("entity", "vehicle", "car", "taxi", "boat", "bench", "box"),
    synonyms=((), (), ("auto", "motorcar"), ("cab",), (), (), ()),
    parents=(NO_PARENT, 0, 1, 2, 1, 0, 0),
    is_name=(False, True, True, True, True, True, True),
)


def test_a_known_class_its_kin_and_its_synonyms_are_no_negatives() -> None:
    assert unrelated_names(["car"], SMALL) == ("boat", "bench", "box")
    assert unrelated_names(["motorcar"], SMALL) == ("boat", "bench", "box")
    assert unrelated_names(["taxi", "boat"], SMALL) == ("bench", "box")


def test_a_class_that_no_word_names_costs_no_negative() -> None:
    assert unrelated_names(["flux capacitor"], SMALL) == ("vehicle", "car", "taxi", "boat", "bench", "box")


@pytest.mark.parametrize("word", ["Car", "cars", "auto", " motorcar "])
def test_words_are_met_in_any_dress(word: str) -> None:
    assert SMALL.meanings(word) == (2,)
    assert SMALL.meanings("boxes") == (6,)
    assert SMALL.meanings("benches") == (5,)
    assert SMALL.meanings("bos") == ()


def test_ancestors_grow_wider() -> None:
    assert list(SMALL.ancestors(3)) == [2, 1, 0]
    assert list(SMALL.ancestors(0)) == []


def test_the_embedded_nouns_hang_together() -> None:
    nouns = common_nouns()
    assert 3000 <= len(nouns.candidates()) <= 9000
    assert len(set(nouns.candidates())) == len(nouns.candidates())
    assert all(NO_PARENT <= parent < len(nouns.names) for parent in nouns.parents)
    roots = {max(nouns.ancestors(at), key=lambda it: -len(list(nouns.ancestors(it)))) for at in range(500)}
    assert {nouns.names[at] for at in roots} == {"entity"}


def test_the_embedded_nouns_know_everyday_things() -> None:
    nouns = common_nouns()
    assert {"bench", "dog", "pizza", "airplane"} <= set(nouns.candidates())
    assert nouns.meanings("saxophone") == nouns.meanings("sax")
    above = {nouns.names[at] for at in nouns.ancestors(nouns.meanings("bench")[0])}
    assert {"seat", "furniture"} <= above
    negatives = unrelated_names(["airplane", "car"], nouns)
    assert {"bench", "dog"} <= set(negatives)
    assert {"airplane", "car", "vehicle", "taxi", "convertible"}.isdisjoint(negatives)


def test_the_data_is_small_and_its_licence_lies_beside_it() -> None:
    folder = files("inkling.discovery")
    assert len(folder.joinpath("nouns.tsv.gz").read_bytes()) < 200_000
    licence = folder.joinpath("NOUNS-LICENSE.txt").read_text(encoding="utf-8")
    assert "WordNet 3.0" in licence
    assert "Princeton" in licence


def test_names_from_a_list_keep_their_kin() -> None:
    vocabulary = Vocabulary.of_names(["sofa", "", "flux capacitor", "armchair\n", "dog"])
    assert set(vocabulary.candidates()) == {"sofa", "flux capacitor", "armchair", "dog"}
    above = {vocabulary.names[at] for at in vocabulary.ancestors(vocabulary.meanings("sofa")[0])}
    assert "furniture" in above
    assert vocabulary.meanings("couch")[0] == vocabulary.meanings("sofa")[0]
    assert list(vocabulary.ancestors(vocabulary.meanings("flux capacitor")[0])) == []
    assert unrelated_names(["furniture"], vocabulary) == ("dog", "flux capacitor")


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        Vocabulary.of_names(["", " \n"])
