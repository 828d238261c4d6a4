"""Vectors are held to the same rules when they are judged as when they are learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from inkling import FewShotClassifier
from inkling.errors import InputError
from inkling.types import Verdict
from tests.colours import write_colours
from tests.fakes import FakeEncoder

CENTRES = np.eye(3, 8)
Y = np.repeat(["ant", "bee", "fly"], 10)
X = CENTRES.repeat(10, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(30, 8))

WRONG = [
    (np.zeros((2, 8)), "rows of zeros, the first is row 0"),
    (np.vstack([CENTRES, np.zeros((1, 8))]), "1 row of zeros, the first is row 3"),
    (np.full((2, 8), np.nan), "not finite"),
    (np.full((2, 8), np.inf), "not finite"),
    (np.full((1, 8), 1e39), "not finite"),
    (np.ones((2, 7)), "8 dimensions; these have 7"),
    (np.ones((2, 9)), "8 dimensions; these have 9"),
    (np.ones(8), "shape"),
    (np.ones((2, 8, 1)), "shape"),
    (np.zeros((0, 8)), "shape"),
    (np.array([["a"] * 8]), "numbers"),
    (None, "numbers"),
]


@pytest.fixture(scope="module")
def fitted() -> FewShotClassifier:
    return FewShotClassifier(false_alarms=0.1).fit_embeddings(X, Y)


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_vectors_that_cannot_be_judged_are_refused(fitted: FewShotClassifier, wrong: Any, message: str) -> None:
    for judge in (fitted.predict_embeddings, fitted.probabilities, fitted.judge_embeddings):
        with pytest.raises(InputError, match=message):
            judge(wrong)


@pytest.mark.parametrize("wrong", [wrong for wrong, _ in WRONG if np.ndim(wrong) == 2 and len(wrong)])
def test_nor_can_they_be_learned_from(wrong: Any) -> None:
    with pytest.raises(InputError):
        FewShotClassifier().fit_embeddings(wrong, Y[: len(wrong)])


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize("kind", [np.float32, np.float64, torch.tensor, pd.DataFrame])
def test_only_the_direction_of_a_vector_counts(fitted: FewShotClassifier, kind: Any, scale: float) -> None:
    assert fitted.probabilities(kind(scale * X)) == pytest.approx(fitted.probabilities(X), abs=1e-4)
    assert fitted.predict(kind(scale * X)).tolist() == fitted.predict_embeddings(X).tolist()


def test_verdicts_on_vectors_are_named_by_their_rows(fitted: FewShotClassifier) -> None:
    verdicts = list(fitted.verdicts(np.vstack([CENTRES, -CENTRES[:1]]), top=2))
    assert verdicts == fitted.judge_embeddings(np.vstack([CENTRES, -CENTRES[:1]]), top=2)
    assert all(isinstance(one, Verdict) for one in verdicts)
    assert [one.path for one in verdicts] == ["row 0", "row 1", "row 2", "row 3"]
    assert [one.label for one in verdicts[:3]] == ["ant", "bee", "fly"]
    assert [one.unknown for one in verdicts] == [False, False, False, True]


def test_rows_of_a_group_are_held_out_together() -> None:
    """Twenty sources that tell nothing, each many times over: who recognises one has seen it."""
    rng = np.random.default_rng(0)
    noise, y, groups = rng.normal(size=(20, 8)).repeat(8, axis=0), np.tile([0, 1], 10).repeat(8), np.arange(160) // 8
    noise = noise + 0.01 * rng.normal(size=noise.shape)
    seen = FewShotClassifier(head="kernel").fit_embeddings(noise, y, groups=range(160))
    assert seen.fitted.fitted_head.calibration["top1"] == 1.0
    apart = FewShotClassifier(head="kernel").fit_embeddings(noise, y, groups=[f"day {group}" for group in groups])
    assert apart.fitted.fitted_head.calibration["top1"] < 0.8
    with pytest.raises(InputError, match="Got 160 images and 3 groups"):
        FewShotClassifier().fit_embeddings(noise, y, groups=[1, 2, 3])


def test_an_address_is_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    classifier = FewShotClassifier(encoder, cache=False).fit(write_colours(tmp_path / "train"))
    encoder.batches.clear()
    doors = (classifier.predict, classifier.predict_proba, classifier.predict_frame, classifier.score)
    for door in doors:
        for images in ("https://example.org/a.jpg", ["https://example.org/a.jpg"]):
            with pytest.raises(InputError, match="Download it"):
                door(images)
    assert encoder.n_encoded == 0


def test_bytes_and_tensors_are_predicted_as_the_files_they_come_from(tmp_path: Path) -> None:
    train = write_colours(tmp_path / "train")
    classifier = FewShotClassifier(FakeEncoder(), cache=False).fit(train)
    paths = sorted(train.rglob("*.png"))
    expected = classifier.predict_proba(paths)
    tensors = [torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).copy()).permute(2, 0, 1) for path in paths]
    for images in ([path.read_bytes() for path in paths], tensors):
        assert classifier.predict_proba(images) == pytest.approx(expected, abs=1e-6)
    for one in (paths[0].read_bytes(), tensors[0]):
        with pytest.raises(InputError, match="single picture"):
            classifier.predict(one)


class TestFrames:
    @pytest.fixture
    def frame(self, tmp_path: Path) -> pd.DataFrame:
        train = write_colours(tmp_path / "train")
        paths = sorted(train.rglob("*.png"))
        return pd.DataFrame({"Path": [str(path) for path in paths], "label": [path.parent.name for path in paths]})

    def test_a_frame_is_learned_from_and_judged(self, frame: pd.DataFrame) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit(frame)
        assert classifier.score(frame) == 1.0
        assert classifier.predict(frame).tolist() == frame["label"].tolist()
        codes = frame.assign(label=frame["label"].astype("category").cat.codes)
        assert FewShotClassifier(FakeEncoder()).fit(codes).predict(frame[:1]).tolist() == [codes["label"][0]]

    def test_verdicts_are_a_frame(self, frame: pd.DataFrame, tmp_path: Path) -> None:
        classifier = FewShotClassifier(FakeEncoder()).fit(frame)
        (tmp_path / "bad.png").write_text("nothing")
        images = [frame["Path"][0], tmp_path / "bad.png", frame["Path"][0], frame["Path"][9]]
        with pytest.raises(InputError, match=r"bad\.png"):
            classifier.predict_frame(images)
        with pytest.warns(UserWarning, match=r"bad\.png"):
            found = classifier.predict_frame(images, top=2, errors="skip")
        assert found["path"].tolist() == [str(image) for image in images]
        assert found["label"].isna().tolist() == [False, True, False, False]
        assert found["error"].notna().tolist() == [False, True, False, False]
        assert (found["top2_probability"].dropna() <= found["probability"].dropna()).all()
        rows = classifier.predict_frame(np.eye(2, classifier.fitted.samples.X.shape[1]) + 0.1)
        assert rows["path"].tolist() == ["row 0", "row 1"]

    def test_a_frame_without_paths_says_which_columns_it_has(self) -> None:
        with pytest.raises(InputError, match="no column 'path'; its columns are: file, label"):
            FewShotClassifier(FakeEncoder()).fit(pd.DataFrame({"file": ["a.png"], "label": ["a"]}))
