"""Images without labels beside the labelled ones: which count, what is refused, and what a memory keeps of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inkling import FewShotClassifier
from inkling.classifier import unlabelled
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import EncoderMismatchError, InputError, SkippedImagesWarning
from inkling.heads import AutoHead
from inkling.memory.store import read_memory
from inkling.review.decisions import Decisions
from inkling.types import FloatArray, IntArray
from tests.colours import write_colours
from tests.fakes import FakeEncoder

CLASSES, D = 12, 48


def _task(per_class: int, *, seed: int) -> tuple[FloatArray, IntArray]:
    centres = 3.0 + np.random.default_rng(0).standard_normal((CLASSES, D))
    y = np.repeat(np.arange(CLASSES), per_class)
    return centres[y] + 1.8 * np.random.default_rng(seed).standard_normal((len(y), D)), y


X, Y = _task(4, seed=1)
POOL, _ = _task(30, seed=2)
TEST, TEST_Y = _task(20, seed=3)


def _fitted(unlabelled: Any = POOL) -> FewShotClassifier:
    return FewShotClassifier().fit(X, Y, unlabelled=unlabelled)


def _probabilities(classifier: FewShotClassifier) -> FloatArray:
    return classifier.predict_proba(TEST.astype(np.float32))


def test_a_pool_that_helps_makes_the_classifier_better_and_says_so() -> None:
    fitted = _fitted()
    assert "unlabelled images take part" in fitted.finding_
    assert fitted.fitted.unlabelled == {"images": len(POOL), "copies_left_out": 0, "beyond_limit": 0}
    assert fitted.score(TEST, TEST_Y) > FewShotClassifier().fit_embeddings(X, Y).score(TEST, TEST_Y)


def test_copies_are_left_out_and_counted() -> None:
    fitted = _fitted(np.concatenate([POOL, X[:5], POOL[:7]]))
    assert fitted.fitted.unlabelled == {"images": len(POOL), "copies_left_out": 12, "beyond_limit": 0}
    assert_array_equal(_probabilities(fitted), _probabilities(_fitted()))


def test_no_more_are_kept_than_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlabelled, "MAX_UNLABELLED", 100)
    fitted = _fitted()
    assert fitted.fitted.unlabelled == {"images": 100, "copies_left_out": 0, "beyond_limit": len(POOL) - 100}


@pytest.mark.parametrize(
    ("unlabelled", "told"),
    [
        (X, "All of the 48 unlabelled images are copies of labelled ones"),
        (POOL[:, :5], "learned from vectors of 48 dimensions; these have 5"),
        ("photos", "must be vectors"),
        (np.zeros((0, D)), "numbers of shape"),
        (np.full((3, D), np.nan), "not finite"),
    ],
)
def test_a_pool_that_cannot_be_meant_is_refused(unlabelled: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        _fitted(unlabelled)


def test_a_head_that_learns_from_labels_alone_refuses() -> None:
    with pytest.raises(InputError, match="'gda' learns from labelled images alone") as refused:
        FewShotClassifier(head="gda").fit(X, Y, unlabelled=POOL)
    assert "--unlabelled" in str(refused.value.remedy)


def test_a_memory_answers_alike_when_opened_and_when_fitted_again(tmp_path: Path) -> None:
    fitted = _fitted()
    fitted.save(tmp_path / "a.ink")
    opened = FewShotClassifier.load(tmp_path / "a.ink")
    assert_array_equal(_probabilities(opened), _probabilities(fitted))
    assert opened.fitted.unlabelled == fitted.fitted.unlabelled
    Decisions(tmp_path / "a.ink").refit()
    again = FewShotClassifier.load(tmp_path / "a.ink")
    assert_array_equal(_probabilities(again), _probabilities(fitted))
    assert again.finding_ == fitted.finding_
    assert read_memory(tmp_path / "a.ink").content.training["unlabelled"] == fitted.fitted.unlabelled


def test_after_a_decision_the_pool_still_counts(tmp_path: Path) -> None:
    _fitted().save(tmp_path / "a.ink")
    Decisions(tmp_path / "a.ink").remove_class("11")
    head = FewShotClassifier.load(tmp_path / "a.ink").fitted.fitted_head.head
    assert isinstance(head, AutoHead)
    assert_array_equal(
        head.unlabelled_learned_from, FewShotClassifier.load(tmp_path / "a.ink").fitted.fitted_head.unlabelled
    )


def test_without_a_pool_a_memory_says_nothing_of_one(tmp_path: Path) -> None:
    FewShotClassifier().fit_embeddings(X, Y).save(tmp_path / "a.ink")
    content = read_memory(tmp_path / "a.ink").content
    assert "unlabelled" not in content.training
    assert not any("unlabelled" in name for name in (*content.head.arrays, *content.head.params))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Labelled pictures in ``train``, more in ``unlabelled``, one of which is a copy and one no picture."""
    write_colours(tmp_path / "train", 3, seed=1)
    write_colours(tmp_path / "unlabelled", 6, seed=2)
    copied = next((tmp_path / "train").rglob("*.png"))
    (tmp_path / "unlabelled" / "copy.png").write_bytes(copied.read_bytes())
    (tmp_path / "unlabelled" / "broken.png").write_bytes(b"no picture")
    return tmp_path


def test_pictures_are_read_and_those_that_cannot_be_are_skipped(photos: Path) -> None:
    with pytest.warns(SkippedImagesWarning, match="Images were skipped: 1"):
        fitted = FewShotClassifier(FakeEncoder()).fit(photos / "train", unlabelled=photos / "unlabelled")
    told = fitted.fitted.unlabelled
    assert told is not None
    assert told["copies_left_out"] == 1
    assert [Path(one.path).name for one in fitted.skipped_] == ["broken.png"]


def test_the_training_folder_itself_is_no_pool(photos: Path) -> None:
    with pytest.raises(InputError, match="copies of labelled ones"):
        FewShotClassifier(FakeEncoder()).fit(photos / "train", unlabelled=photos / "train")


def test_vectors_beside_pictures_are_refused(photos: Path) -> None:
    with pytest.raises(InputError, match="must be pictures too"):
        FewShotClassifier(FakeEncoder()).fit(photos / "train", unlabelled=POOL)


def test_vectors_of_another_encoder_are_refused(photos: Path) -> None:
    np.savez(photos / "unlabelled.npz", x=POOL)
    with pytest.raises(EncoderMismatchError):
        FewShotClassifier(FakeEncoder()).fit(photos / "train", unlabelled=read_precomputed(photos / "unlabelled.npz"))


def test_files_of_vectors_serve_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=X, labels=Y.astype(str))
    np.savez(tmp_path / "unlabelled.npz", x=POOL)
    train, unlabelled = (read_precomputed(tmp_path / f"{name}.npz") for name in ("train", "unlabelled"))
    fitted = FewShotClassifier().fit_precomputed(train, unlabelled=unlabelled)
    assert fitted.fitted.unlabelled == {"images": len(POOL), "copies_left_out": 0, "beyond_limit": 0}
