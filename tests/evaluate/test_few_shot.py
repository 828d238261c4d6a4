"""The few-shot protocol: its draws, their file, and its figures against fits by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inkling.embeddings.samples import Samples, given_samples
from inkling.errors import InputError
from inkling.evaluate.few_shot import FewShotOptions, few_shot_evaluation
from inkling.evaluate.splits import Splits
from inkling.heads import HEADS
from inkling.types import ClassEntry
from tests.advising.samples import clouds

NAMES = [f"class {k}" for k in range(8)]
ENTRIES = [ClassEntry(name) for name in NAMES]


def samples(n: int, seed: int) -> Samples:
    X, y = clouds(n, seed=seed)
    return given_samples(X.astype(np.float32), [NAMES[k] for k in y], logit_scale=100.0)


TRAIN, TEST = samples(6, 1), samples(20, 2)


def test_shots_are_those_that_the_images_allow_and_all() -> None:
    found = few_shot_evaluation(TRAIN, TEST, ENTRIES, FewShotOptions(("gda",), draws=3))
    assert [(one.shots, len(one.top1)) for one in found.scores] == [(1, 3), (2, 3), (4, 3), (None, 1)]
    assert found.n == 160
    assert found.zero_shot is None


def test_figures_are_those_of_fits_by_hand() -> None:
    found = few_shot_evaluation(TRAIN, TEST, ENTRIES, FewShotOptions(("gda",), draws=2))
    for one in found.scores:
        for draw, top1 in enumerate(one.top1):
            rows = found.splits.rows(TRAIN, draw, one.shots)
            y = np.array([NAMES.index(str(label)) for label in TRAIN.labels])[rows]
            if one.shots is not None:
                assert np.bincount(y).tolist() == [one.shots] * 8
            head = HEADS["gda"](classes=list(range(8))).fit(TRAIN.X[rows], y)
            truth = np.array([NAMES.index(str(label)) for label in TEST.labels])
            assert top1 == pytest.approx((head.predict(TEST.X) == truth).mean())
        assert one.worst <= one.mean <= max(one.top1)


def test_texts_give_zero_shot_to_compare_with() -> None:
    centres = np.stack([TEST.X[20 * k : 20 * k + 20].mean(axis=0) for k in range(8)])
    unit = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
    entries = [ClassEntry(name, text_vector=vector) for name, vector in zip(NAMES, unit, strict=True)]
    found = few_shot_evaluation(TRAIN, TEST, entries, FewShotOptions(("zero-shot", "prototype"), draws=2))
    assert found.zero_shot is not None
    told = found.to_json()
    for one in told["scores"]:
        assert one["worst_against_zero_shot"] == pytest.approx(min(one["draws"]) - found.zero_shot)
        if one["head"] == "zero-shot":
            assert set(one["draws"]) == {found.zero_shot}
    json.dumps(told, allow_nan=False)
    with pytest.raises(InputError, match="text vector"):
        few_shot_evaluation(TRAIN, TEST, ENTRIES, FewShotOptions(("zero-shot",)))


def test_splits_read_again_give_the_same(tmp_path: Path) -> None:
    first = few_shot_evaluation(TRAIN, TEST, ENTRIES, FewShotOptions(("prototype",), draws=2, seed=5))
    first.splits.write(tmp_path / "s.json")
    # The order of the images does not matter, nor does the seed.
    shuffled = TRAIN.keep(np.random.default_rng(0).permutation(len(TRAIN)).tolist())
    known = Splits.read(tmp_path / "s.json")
    again = few_shot_evaluation(shuffled, TEST, ENTRIES, FewShotOptions(("prototype",), splits=known, seed=9))
    assert [one.top1 for one in again.scores] == [one.top1 for one in first.scores]
    other = few_shot_evaluation(TRAIN, TEST, ENTRIES, FewShotOptions(("prototype",), draws=2, seed=9))
    assert other.splits != first.splits


def test_larger_supports_hold_the_smaller_ones() -> None:
    splits = Splits.drawn(TRAIN, 1, seed=0)
    rows = [set(splits.rows(TRAIN, 0, shots).tolist()) for shots in (1, 2, 4, None)]
    assert rows[0] < rows[1] < rows[2] < rows[3]
    assert rows[3] == set(range(len(TRAIN)))


def test_splits_of_other_images_are_refused() -> None:
    splits = Splits.drawn(TRAIN, 1, seed=0)
    with pytest.raises(InputError, match="other images"):
        splits.check(samples(6, 3))
    with pytest.raises(InputError, match="other images"):
        splits.check(TRAIN.keep(range(40)))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"kind": "inkling few-shot splits", "version": 1, "draws": []}', '{"draws": [{"a": 3}]}', "\x00"],
)
def test_files_that_hold_no_splits_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(InputError, match=r"s\.json"):
        Splits.read(tmp_path / "s.json")


def test_test_images_that_are_training_images_are_left_out() -> None:
    mixed = given_samples(np.concatenate([TEST.X, TRAIN.X[:3]]), [*TEST.labels, *TRAIN.labels[:3]], logit_scale=100.0)
    found = few_shot_evaluation(TRAIN, mixed, ENTRIES, FewShotOptions(("gda",), draws=1))
    assert (found.n, len(found.training_images.images)) == (160, 3)
    with pytest.raises(InputError, match="among the training images"):
        few_shot_evaluation(TRAIN, TRAIN, ENTRIES, FewShotOptions(("gda",)))


def test_one_class_is_refused() -> None:
    with pytest.raises(InputError, match="two classes"):
        few_shot_evaluation(TRAIN.keep(range(6)), TEST, ENTRIES[:1])
