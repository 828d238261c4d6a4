"""Darkened or blurred pictures of known classes are drift, and no new classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from inkling.classifier.few_shot import FewShotClassifier
from inkling.discovery.results import Drift, Found
from inkling.images.handed_over import records_of
from inkling.review.changed import unless_changed
from inkling.review.known_images import KnownImages
from inkling.sketch.dataset import write_dataset
from inkling.sketch.scene import draw

KINDS = ("car", "cat", "tree")
NONE = np.zeros(0, dtype=np.intp)
PLAIN = Found((), NONE, NONE, NONE, Drift(found=False, p_value=0.01, excess=0.2, explained=1.0, likeness=0.1))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> FewShotClassifier:
    folder = tmp_path_factory.mktemp("drawn")
    write_dataset(folder, KINDS, 12, seed=3)
    return FewShotClassifier("sketch", cache=False).fit(folder)


def judged(classifier: FewShotClassifier, change: Callable[[Image.Image], Image.Image], **drift: float) -> Found:
    """Forty pictures of the known classes, each put to its class, changed."""
    pictures = [change(draw(KINDS[number % 3], seed=1000 + number)) for number in range(40)]
    thumbnails = classifier.embed(records_of(pictures)).thumbnails
    y = np.arange(40) % 3
    found = replace(PLAIN, known_class=y, picture=np.arange(40), number=(1, 2), drift=replace(PLAIN.drift, **drift))
    return unless_changed(found, KnownImages.of(classifier), thumbnails)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda it: ImageEnhance.Brightness(it).enhance(0.4), "darker"),
        (lambda it: it.filter(ImageFilter.GaussianBlur(2)), "less sharp"),
        (lambda it: it.convert("L").convert("RGB"), "with less colour"),
    ],
)
def test_changed_pictures_are_drift_that_says_what_changed(
    classifier: FewShotClassifier, change: Callable[[Image.Image], Image.Image], word: str
) -> None:
    found = judged(classifier, change)
    assert found.drift.found
    assert word in found.drift.change
    assert word in found.drift.finding
    assert found.number is None


def test_pictures_like_those_that_were_learned_are_none(classifier: FewShotClassifier) -> None:
    found = judged(classifier, lambda it: it)
    assert not found.drift.found
    assert found.number == (1, 2)


def test_a_change_that_makes_nothing_unknown_is_none(classifier: FewShotClassifier) -> None:
    assert not judged(classifier, lambda it: ImageEnhance.Brightness(it).enhance(0.4), excess=0.05).drift.found


def all_unknown(classifier: FewShotClassifier, change: Callable[[Image.Image], Image.Image]) -> Found:
    """Forty pictures of one new kind, changed, which discovery took for drift."""
    pictures = [change(draw("castle", seed=2000 + number)) for number in range(40)]
    thumbnails = classifier.embed(records_of(pictures)).thumbnails
    drift = replace(PLAIN.drift, found=True, all_alike=True, excess=0.9)
    found = replace(PLAIN, known_class=np.full(40, -1), picture=np.arange(40), leftover=np.arange(40), drift=drift)
    return unless_changed(found, KnownImages.of(classifier), thumbnails)


def test_a_folder_of_one_new_kind_is_said_to_look_as_learned_ones_do(classifier: FewShotClassifier) -> None:
    found = all_unknown(classifier, lambda it: it)
    assert found.drift.looks == ()
    assert "new classes are likelier" in found.drift.finding
    assert "inkling add-class" in found.drift.finding


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda it: ImageEnhance.Brightness(it).enhance(0.3), "darker"),
        (lambda it: it.convert("L").convert("RGB"), "with less colour"),
    ],
)
def test_a_folder_that_looks_otherwise_is_said_to_have_changed(
    classifier: FewShotClassifier, change: Callable[[Image.Image], Image.Image], word: str
) -> None:
    found = all_unknown(classifier, change)
    assert found.drift.looks is not None
    assert word in found.drift.looks
    assert word in found.drift.finding
    assert "a change is likelier" in found.drift.finding


def test_without_pictures_the_finding_leaves_looks_out(classifier: FewShotClassifier) -> None:
    drift = replace(PLAIN.drift, found=True, all_alike=True, excess=0.9)
    found = replace(PLAIN, known_class=np.full(40, -1), picture=np.arange(40), leftover=np.arange(40), drift=drift)
    judged = unless_changed(found, KnownImages.of(classifier), [None] * 40)
    assert judged.drift.looks is None
    assert "images alone can't tell" in judged.drift.finding
