"""What fitting says about its images: nothing of sound ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from inkling.auditing.glance import glance
from inkling.classifier.few_shot import FewShotClassifier
from inkling.sketch import write_dataset

CLASSES = ("car", "cat", "tree")


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    write_dataset(folder, CLASSES, 12, seed=5)
    return folder


def fitted(folder: Path, **options: object) -> FewShotClassifier:
    return FewShotClassifier("sketch", cache=False, **options).fit(str(folder))


def test_of_sound_images_nothing_is_said(drawn: Path) -> None:
    assert glance(fitted(drawn).fitted).finding is None


@pytest.mark.parametrize("options", [{}, {"head": "prototype"}, {"views": 2}])
def test_a_wrong_label_is_named_with_the_likelier_one(drawn: Path, options: dict[str, object]) -> None:
    moved = drawn / "tree" / "moved.png"
    (drawn / "car" / "car-0003.png").rename(moved)
    found = glance(fitted(drawn, **options).fitted)
    assert [(one.path, one.label, one.instead) for one in found.doubtful] == [(str(moved), "tree", "car")]
    assert found.finding is not None
    assert "1 label likely wrong, of which about 1 will be" in found.finding


def test_copies_and_conflicts(drawn: Path) -> None:
    shutil.copy(drawn / "car" / "car-0001.png", drawn / "car" / "again.png")
    shutil.copy(drawn / "cat" / "cat-0001.png", drawn / "tree" / "other.png")
    found = glance(fitted(drawn).fitted)
    assert [{Path(one).name for one in paths} for paths in found.copies] == [{"car-0001.png", "again.png"}]
    assert [{Path(one).name for one in paths} for paths in found.conflicts] == [{"cat-0001.png", "other.png"}]


def test_a_burst_is_one_source() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 32))
    X = np.concatenate([centre + rng.normal(size=(20, 32)) for centre in centres])
    X[:4] = X[0] + 0.05 * rng.normal(size=(4, 32))
    found = glance(FewShotClassifier(head="prototype").fit_embeddings(X, np.repeat(list("abc"), 20)).fitted)
    assert [len(paths) for paths in found.sources] == [4]
    assert found.finding is not None
    assert "4 images in 1 burst or video" in found.finding


def test_an_image_a_class_and_a_memory(tmp_path: Path) -> None:
    X = np.eye(4)
    assert glance(FewShotClassifier().fit_embeddings(X, list("abcd")).fitted).finding is None
    again = FewShotClassifier(head="prototype").fit_embeddings(X.repeat(5, axis=0), np.repeat(list("abcd"), 5))
    again.save(tmp_path / "m.ink")
    assert glance(FewShotClassifier.load(tmp_path / "m.ink").fitted).doubtful == ()
