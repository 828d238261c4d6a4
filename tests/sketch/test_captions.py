"""The caption grammar: true of the picture, and silent about held-out kinds."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.sketch import HELD_OUT, TRAINED, caption, description, plan
from inkling.sketch.captions import describe, vocabulary
from inkling.sketch.kinds import BY_NAME, KINDS


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_captions_of_trained_kinds_never_name_a_held_out_kind() -> None:
    seen: set[str] = set()
    for kind in TRAINED:
        for seed in range(100):
            seen |= words(caption(kind, seed=seed))
    assert not seen & set(HELD_OUT)
    assert seen <= set(vocabulary())
    assert seen >= set(TRAINED)


def test_vocabulary_holds_no_held_out_name() -> None:
    assert not set(vocabulary()) & set(HELD_OUT)


@pytest.mark.parametrize("kind", KINDS)
def test_description_uses_known_words_and_not_the_name(kind: str) -> None:
    assert words(description(kind)) <= set(vocabulary())
    assert kind not in words(description(kind))


def test_same_seed_same_caption() -> None:
    assert caption("fish", seed=4) == caption("fish", seed=4)
    assert len({caption("fish", seed=seed) for seed in range(30)}) > 15


@given(kind=st.sampled_from(TRAINED), seed=st.integers(0, 10**6), wording=st.integers(0, 10**6))
def test_what_a_caption_claims_is_true(kind: str, seed: int, wording: int) -> None:
    scene = plan(kind, seed=seed)
    said = describe(scene, Random(wording))
    assert kind in said.kinds
    assert said.colour in (None, scene.colour)
    assert said.background in (None, scene.background)
    assert said.size in (None, scene.size)
    for claim in filter(None, (said.colour, said.background, said.size)):
        assert claim in words(said.text)


@given(kind=st.sampled_from(TRAINED), wording=st.integers(0, 10**6))
def test_a_name_fits_its_kind_alone_and_a_category_all_of_its_kinds(kind: str, wording: int) -> None:
    said = describe(plan(kind, seed=0), Random(wording))
    named = kind in words(said.text)
    if named:
        assert said.kinds == {kind}
    elif BY_NAME[kind].category in words(said.text):
        assert {BY_NAME[other].category for other in said.kinds} == {BY_NAME[kind].category}
