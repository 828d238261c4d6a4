"""Names for clusters in a space where texts lie near their images, and some near everything."""

from __future__ import annotations

import numpy as np
import pytest

from inkling.discovery.naming import FIRST, Namer
from inkling.discovery.vocabulary import NO_PARENT, Vocabulary
from inkling.heads.support import unit_rows
from inkling.types import FloatArray

LEAVES = ("bench", "chair", "dog", "cat", "thing", "gadget")
WIDER = ("furniture", "animal")
DEEP = 6
"""Meanings in a line above furniture and animal, so that they say something."""
DIMS = 32

VOCABULARY = Vocabulary(
    names=(*LEAVES, *WIDER, *(f"level {depth}" for depth in range(DEEP))),
    synonyms=(("settee",), *((),) * (len(LEAVES) - 1), *((),) * (2 + DEEP)),
    parents=(6, 6, 7, 7, NO_PARENT, NO_PARENT, 8, 8, *range(9, 8 + DEEP), NO_PARENT),
    is_name=(*(True,) * len(LEAVES), *(False,) * (2 + DEEP)),
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def text(rng: np.random.Generator) -> FloatArray:
    return unit_rows(rng.normal(size=(len(LEAVES), DIMS)))


@pytest.fixture
def background(rng: np.random.Generator) -> FloatArray:
    return unit_rows(rng.normal(size=(200, DIMS)))


def images(direction: FloatArray, rng: np.random.Generator, n: int = 12) -> FloatArray:
    return unit_rows(direction + 0.05 * rng.normal(size=(n, DIMS)))


def namer(text: FloatArray, background: FloatArray, taken: tuple[str, ...] = ()) -> Namer:
    return Namer.of(LEAVES, text, background, vocabulary=VOCABULARY, taken=taken)


def test_the_name_of_the_cluster_comes_first(
    text: FloatArray, background: FloatArray, rng: np.random.Generator
) -> None:
    found = namer(text, background)(images(text[2], rng), number=7)
    assert found.suggestion == found.ranked[0].name == "dog"
    assert found.ranked[0].votes == 1.0
    assert found.ranked[0].probability > 0.5
    assert sum(it.probability for it in found.ranked) == pytest.approx(1.0)
    assert sum(it.votes for it in found.ranked) == pytest.approx(FIRST)


def test_each_image_gets_names_of_its_own(text: FloatArray, background: FloatArray, rng: np.random.Generator) -> None:
    ready = namer(text, background)
    pictures = np.concatenate([images(text[at], rng, n=1) for at in (2, 0, 3)])
    found = ready.of_each(pictures, count=2)
    assert [names[0] for names in found] == ["dog", "bench", "cat"]
    assert {len(names) for names in found} == {2}
    assert ready.of_each(pictures[1:2], count=2) == found[1:2]


def test_a_name_that_suits_every_image_is_held_back(text: FloatArray, rng: np.random.Generator) -> None:
    everywhere = unit_rows(text[4] + 0.3 * rng.normal(size=(200, DIMS)) / DIMS**0.5)
    picture = unit_rows(text[4:5] + 0.5 * text[2:3])
    assert namer(text, everywhere).of_each(picture, count=1) == [("dog",)]


def test_without_names_there_are_none(text: FloatArray, background: FloatArray) -> None:
    ready = Namer.of([], np.zeros((0, DIMS)), background, vocabulary=VOCABULARY)
    assert ready.of_each(text[:2], count=3) == [(), ()]


def test_a_text_near_everything_does_not_win(
    text: FloatArray, background: FloatArray, rng: np.random.Generator
) -> None:
    gap = unit_rows(rng.normal(size=(1, DIMS)))[0]
    everywhere = unit_rows(background + 2.0 * gap)
    hub = text.copy()
    hub[4] = gap
    cluster = unit_rows(images(text[2], rng) + 2.0 * gap)
    plain = cluster.mean(axis=0) @ hub.T
    assert plain.argmax() == 4
    assert namer(hub, everywhere)(cluster, number=1).ranked[0].name == "dog"


def test_two_names_that_share_the_say_roll_up(
    text: FloatArray, background: FloatArray, rng: np.random.Generator
) -> None:
    background = np.concatenate([background, -background])
    found = namer(text, background)(images(text[0] + text[1] - 0.5 * (text[0] @ text[1]), rng, 400), number=1)
    assert {it.name for it in found.ranked[:2]} == {"bench", "chair"}
    if found.ranked[0].probability <= 0.5:
        assert found.suggestion == "furniture"


def test_what_nothing_names_has_a_number(text: FloatArray, background: FloatArray) -> None:
    flat = Namer.of(LEAVES, text, background, vocabulary=VOCABULARY, logit_scale=0.0)
    assert flat(background, number=7).suggestion == "unnamed-7"
    empty = Namer.of(LEAVES, np.full_like(text, np.nan), background, vocabulary=VOCABULARY)
    assert empty(background, number=3).suggestion == "unnamed-3"
    assert empty(background, number=3).ranked == ()


def test_an_even_split_within_one_kind_is_that_kind(text: FloatArray, background: FloatArray) -> None:
    kin = Namer.of(LEAVES[:4], text[:4], background, vocabulary=VOCABULARY, taken=("cat",), logit_scale=0.0)
    # Bench and chair have a third each, dog the last.
    assert kin(background, number=1).suggestion == "furniture"


def test_names_of_known_classes_and_names_without_text_are_not_given(
    text: FloatArray, background: FloatArray, rng: np.random.Generator
) -> None:
    text[3] = 0.0
    found = namer(text, background, taken=("settee",))(images(text[0], rng), number=1)
    assert {it.name for it in found.ranked} == {"chair", "dog", "thing", "gadget"}
