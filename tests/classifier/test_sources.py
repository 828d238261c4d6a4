"""Images of one source, given or found: held out together, counted once, kept in the memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from inkling.classifier.few_shot import FewShotClassifier
from inkling.classifier.persistence import from_memory
from inkling.classifier.sources import sources_finding
from inkling.embeddings.precomputed import read_precomputed
from inkling.memory.store import read_memory
from inkling.review.decisions import Decisions
from inkling.review.new_class import ClassEmbedder
from inkling.types import FloatArray, IntArray
from tests.colours import write_colours
from tests.fakes import FakeEncoder

CLASSES, SCENES, FRAMES, DIMS = 4, 8, 4, 32


def filmed(seed: int = 0, frames: int = FRAMES) -> tuple[FloatArray, IntArray, IntArray]:
    """Scenes of each class, with several frames each: vectors, classes and scenes."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLASSES, DIMS))
    scenes = np.repeat(centres, SCENES, axis=0) + rng.normal(size=(CLASSES * SCENES, DIMS))
    scene = np.arange(CLASSES * SCENES).repeat(frames)
    return scenes[scene] + 0.1 * rng.normal(size=(len(scene), DIMS)), scene // SCENES, scene


def sources(fitted: FewShotClassifier) -> IntArray:
    return np.unique(fitted.fitted.samples.sources, return_inverse=True)[1]


def finding(fitted: FewShotClassifier) -> str | None:
    return sources_finding(fitted.fitted.samples)


def test_frames_of_a_scene_are_found_and_said() -> None:
    X, y, scene = filmed()
    fitted = FewShotClassifier(head="gda").fit_embeddings(X, y)
    pairs = sources(fitted)[:, None] == sources(fitted)
    assert (pairs == (scene[:, None] == scene)).mean() > 0.99
    assert finding(fitted) == "128 images are 32 sources, found by how alike they are"


def test_images_of_their_own_are_left_as_they_are() -> None:
    X, y, _ = filmed(frames=1)
    fitted = FewShotClassifier(head="gda").fit_embeddings(X, y)
    assert finding(fitted) is None
    assert len(set(sources(fitted))) == len(X)


def test_given_groups_are_taken_at_their_word() -> None:
    X, y, _ = filmed()
    days = [None if row % 16 == 0 else f"day {row // 16}" for row in range(len(X))]
    fitted = FewShotClassifier(head="gda").fit_embeddings(X, y, groups=days)
    assert len(set(sources(fitted))) == 16
    assert finding(fitted) == "128 images are 16 sources, as their groups say"


def test_out_of_fold_figures_and_false_alarms_know_scenes_that_no_fit_saw() -> None:
    """Frames of one scene judge each other rightly; scenes to come are what a promise is about."""
    X, y, _scene = filmed()
    new_X, _, _ = filmed_later(X)
    honest = FewShotClassifier(head="gda").fit_embeddings(X, y).fitted
    naive = FewShotClassifier(head="gda").fit_embeddings(X, y, groups=range(len(X))).fitted
    assert honest.detector is not None
    assert naive.detector is not None
    assert honest.detector.is_unknown(new_X).mean() < naive.detector.is_unknown(new_X).mean()


def filmed_later(X: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Further scenes of the same classes, one frame each."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, DIMS))
    y = np.arange(CLASSES).repeat(200)
    return centres[y] + np.random.default_rng(9).normal(size=(len(y), DIMS)), y, y


@pytest.mark.parametrize("given", [True, False])
def test_a_memory_keeps_them(tmp_path: Path, given: bool) -> None:
    X, y, scene = filmed()
    fitted = FewShotClassifier(head="gda").fit_embeddings(X, y, groups=scene if given else None)
    fitted.save(tmp_path / "a.ink")
    back = FewShotClassifier.load(tmp_path / "a.ink")
    assert (sources(back) == sources(fitted)).all()
    assert finding(back) == finding(fitted)


def test_a_memory_of_before_has_none(tmp_path: Path) -> None:
    X, y, _ = filmed()
    FewShotClassifier(head="gda").fit_embeddings(X, y).save(tmp_path / "a.ink")
    content = read_memory(tmp_path / "a.ink").content
    training = {key: value for key, value in content.training.items() if key != "groups"}
    older = from_memory(replace(content, training=training))
    assert older.samples.groups is None
    assert len(set(older.samples.sources.tolist())) == len(X)


def columns(train: Path) -> dict[str, list[Any]]:
    files = sorted(train.rglob("*.png"))
    return {"path": [str(one) for one in files], "label": [one.parent.name for one in files]}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", None])
def test_a_column_of_a_table_or_a_frame_names_them(tmp_path: Path, suffix: str | None) -> None:
    frame = pd.DataFrame(columns(write_colours(tmp_path / "train", 4)))
    frame["group"] = [number // 2 for number in range(len(frame))]
    path = tmp_path / f"images{suffix}"
    match suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case ".parquet":
            frame.to_parquet(path)
    fitted = FewShotClassifier(FakeEncoder(), cache=False).fit(frame if suffix is None else path)
    assert len(set(sources(fitted))) == len(frame) / 2


def test_so_does_a_file_of_vectors(tmp_path: Path) -> None:
    X, y, scene = filmed()
    np.savez(tmp_path / "vectors.npz", x=X, labels=y.astype(str), groups=scene)
    fitted = FewShotClassifier(head="gda").fit_precomputed(read_precomputed(tmp_path / "vectors.npz"))
    assert len(set(sources(fitted))) == CLASSES * SCENES


def test_groups_of_added_images_are_kept_beside_those_of_the_memory(tmp_path: Path) -> None:
    path, encoder = tmp_path / "a.ink", FakeEncoder()
    table = columns(write_colours(tmp_path / "train", 4))
    FewShotClassifier(encoder, cache=False).fit(pd.DataFrame(table | {"group": table["label"]})).save(path)
    more = columns(write_colours(tmp_path / "more", 4, seed=5))
    frame = pd.DataFrame(more | {"group": [f"later {label}" for label in more["label"]]})
    prepared = ClassEmbedder(encoder, cache=False).labelled(path, frame)
    Decisions(path).update_prepared(prepared)
    samples = FewShotClassifier.load(path).fitted.samples
    assert len(samples) == len(table["path"]) + len(more["path"])
    assert len(set(samples.sources.tolist())) == 2 * len(set(table["label"]))
