"""Whoever fits or scores from Python is warned of images that were left out, with their number and the reasons."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inkling import Decisions, FewShotClassifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import SkippedImagesWarning
from inkling.review.new_class import ClassEmbedder
from tests.colours import write_colours
from tests.fakes import FakeEncoder

X, Y = np.eye(6)[[0, 1] * 6], ["ant", "bee"] * 6
SOME = [None, float("nan"), *Y[2:]]


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    """Ten pictures of colours; two without a label, one that is no picture."""
    paths = sorted(write_colours(tmp_path / "c", 5, colours=("red", "blue")).rglob("*.png"))
    labels: list[str | None] = [path.parent.name for path in paths]
    labels[0] = labels[9] = None
    paths[4].write_text("nothing")
    return pd.DataFrame({"path": paths, "label": labels})


def fitted() -> FewShotClassifier:
    return FewShotClassifier(FakeEncoder(), cache=False)


def _update(frame: pd.DataFrame, folder: Path) -> None:
    known = write_colours(folder / "known", 3, colours=("red", "green"))
    fitted().fit(known).save(folder / "a.ink")
    Decisions(folder / "a.ink").update(frame, embedder=ClassEmbedder(FakeEncoder(), cache=False))


def _add(frame: pd.DataFrame, folder: Path) -> None:
    known = write_colours(folder / "known", 3, colours=("red", "green"))
    fitted().fit(known).save(folder / "a.ink")
    blue = frame[frame["label"] != "red"]
    Decisions(folder / "a.ink").add_class("blue", images=blue, embedder=ClassEmbedder(FakeEncoder(), cache=False))


@pytest.mark.parametrize(
    ("run", "n"),
    [
        (lambda frame, _: fitted().fit(frame), 3),
        (lambda frame, _: fitted().fit(frame.dropna()).score(frame), 3),
        (_update, 3),
        (_add, 3),
    ],
    ids=["fit", "score", "update", "add-class"],
)
def test_images(run: Callable[[pd.DataFrame, Path], object], n: int, frame: pd.DataFrame, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(frame, tmp_path)
    told = [one for one in caught if one.category is SkippedImagesWarning]
    assert f"skipped: {n} (2 times: no label; 1 time: " in str(told[-1].message)
    assert told[-1].filename == __file__


def test_vectors(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", x=X, labels=["", "", *Y[2:]])
    some = read_precomputed(tmp_path / "v.npz")
    for run in (
        lambda: FewShotClassifier(head="prototype").fit_embeddings(X, SOME),
        lambda: FewShotClassifier(head="prototype").fit_precomputed(some),
        lambda: FewShotClassifier(head="prototype").fit(X, SOME),
        lambda: FewShotClassifier(head="prototype").fit(X, Y).score(X, SOME),
    ):
        with pytest.warns(SkippedImagesWarning, match=r"skipped: 2 \(2 times: no label\); the first is 'row 0'"):
            run()


def test_a_score_leaves_out_vectors_without_a_label() -> None:
    classifier = FewShotClassifier(head="prototype").fit(X, Y)
    with pytest.warns(SkippedImagesWarning):
        assert classifier.score(X, SOME) == 1.0


def test_nothing_is_said_where_nothing_is_left_out(frame: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted().fit(frame.drop(index=[0, 4, 9])).score(frame.drop(index=[0, 4, 9]))


@pytest.mark.parametrize("labels", [[3, 10], [True, False]])
def test_a_parquet_table_gives_back_labels_as_it_has_them(labels: list[object], tmp_path: Path) -> None:
    paths = sorted(write_colours(tmp_path / "c", 5, colours=("red", "blue")).rglob("*.png"))
    table = pd.DataFrame({"path": paths, "label": [labels[path.parent.name == "red"] for path in paths]})
    table.astype({"path": str}).to_parquet(tmp_path / "t.parquet")
    classifier = fitted().fit(tmp_path / "t.parquet")
    assert classifier.classes_.tolist() == sorted(labels)
    assert classifier.predict(tmp_path / "t.parquet").tolist() == table["label"].tolist()
    table.astype(str).to_csv(tmp_path / "t.csv")
    assert fitted().fit(tmp_path / "t.csv").classes_.tolist() == sorted(map(str, labels))
