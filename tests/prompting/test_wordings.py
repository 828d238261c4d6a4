"""Ways to describe a class."""

from __future__ import annotations

import pytest

from inkling.discovery.vocabulary import common_nouns
from inkling.prompting.wordings import plural, with_article, wordings
from inkling.prompts import DEFAULT_TEMPLATE, ClassPrompts

TEMPLATES = (DEFAULT_TEMPLATE,)


def texts(given: ClassPrompts) -> dict[str, tuple[str, ...]]:
    found = wordings(given, common_nouns(), templates=TEMPLATES)
    return {one.what: one.prompts.texts(TEMPLATES) for one in found}


def test_the_given_words_come_first_and_none_comes_twice() -> None:
    found = texts(ClassPrompts("car"))
    assert next(iter(found.items())) == ("as given", ("a photo of a car.",))
    assert len(set(found.values())) == len(found)


def test_wider_meanings_synonyms_and_spellings() -> None:
    found = texts(ClassPrompts("car"))
    assert found["with its wider meaning, 'a motor vehicle'"] == ("a photo of a car, a motor vehicle.",)
    assert found["with the alias 'automobile'"] == ("a photo of a car.", "a photo of a automobile.")
    assert found["in the plural"] == ("a photo of cars.",)
    assert found["with capital letters"] == ("a photo of Car.",)


def test_what_was_given_may_be_left_out() -> None:
    found = texts(ClassPrompts("crane", aliases=("heron",), disambiguation="a bird"))
    assert found["without its aliases"] == ("a photo of a crane, a bird.",)
    assert found["without its disambiguation"] == ("a photo of a crane.", "a photo of a heron.")


def test_a_word_that_nobody_knows_has_its_spellings() -> None:
    assert set(texts(ClassPrompts("qwxz"))) == {"as given", "in the plural", "with capital letters"}


@pytest.mark.parametrize(
    ("noun", "expected"), [("bus", "buses"), ("berry", "berries"), ("toy", "toys"), ("fish", "fishes")]
)
def test_plurals(noun: str, expected: str) -> None:
    assert plural(noun) == expected


def test_articles() -> None:
    assert (with_article("animal"), with_article("bird")) == ("an animal", "a bird")
