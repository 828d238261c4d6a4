"""A class that is added takes no image of another, whatever tells whose it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inkling import Decisions, FewShotClassifier
from inkling.embeddings.precomputed import read_precomputed
from inkling.errors import InputError
from inkling.review.new_class import ClassEmbedder
from tests.colours import COLOURS, write_colours
from tests.fakes import FakeEncoder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures of known colours, and of a new one."""
    return write_colours(tmp_path / "photos", 3, colours=(*COLOURS, "yellow"))


@pytest.fixture
def path(tmp_path: Path, photos: Path) -> Path:
    """A memory of the known colours."""
    known = tmp_path / "known"
    for colour in COLOURS:
        shutil.copytree(photos / colour, known / colour)
    FewShotClassifier(FakeEncoder(), cache=False).fit(known).save(tmp_path / "a.ink")
    return tmp_path / "a.ink"


def add(path: Path, images: object, name: str = "yellow") -> tuple[int, list[str]]:
    """Images that the class got, and reasons of those that were skipped."""
    embedder = ClassEmbedder(FakeEncoder(), cache=False)
    outcome = Decisions(path).add_class(name, images=images, embedder=embedder).outcome
    (known,) = (one for one in Decisions(path).classes() if one.name == name)
    assert known.images == outcome["images"]
    return known.images, [one["reason"] for one in outcome["skipped"]]


def table(folder: Path, rows: list[tuple[str, str]], *, labels: bool = True) -> Path:
    """A table of images, with labels or without."""
    path = folder / "rows.csv"
    lines = [f"{name},{label}" if labels else name for name, label in rows]
    path.write_text("\n".join(["path,label" if labels else "path", *lines]))
    return path


def test_rows_of_other_labels_are_refused_and_named(path: Path, photos: Path) -> None:
    rows = [(f"yellow/{k}.png", "yellow") for k in range(3)] + [(f"red/{k}.png", "red") for k in range(2)]
    before = path.read_bytes()
    frame = pd.DataFrame({"path": [str(photos / name) for name, _ in rows], "label": [label for _, label in rows]})
    for images in (table(photos, rows), frame, photos):
        with pytest.raises(InputError, match=r"of other classes than 'yellow': .*red \([23]\)"):
            add(path, images)
    assert path.read_bytes() == before


def test_a_file_of_vectors_with_other_labels_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    known = {"embeddings": rng.normal(size=(12, 6)), "labels": np.repeat(["ant", "bee"], 6)}
    np.savez(tmp_path / "known.npz", **known)
    FewShotClassifier().fit_precomputed(read_precomputed(tmp_path / "known.npz")).save(tmp_path / "v.ink")
    np.savez(tmp_path / "more.npz", embeddings=rng.normal(size=(4, 6)), labels=["cat", "cat", "", "dog"])
    with pytest.raises(InputError, match=r"1 of 4 images are of other classes than 'cat': dog \(1\)"):
        add(tmp_path / "v.ink", read_precomputed(tmp_path / "more.npz"), "cat")
    np.savez(tmp_path / "more.npz", embeddings=rng.normal(size=(4, 6)), labels=["cat", "cat", "", "cat"])
    assert add(tmp_path / "v.ink", read_precomputed(tmp_path / "more.npz"), "cat") == (3, ["no label"])


def test_labels_of_the_class_and_none_at_all_are_taken(path: Path, photos: Path) -> None:
    rows = [("yellow/0.png", "yellow"), ("yellow/1.png", ""), ("yellow/2.png", "yellow")]
    assert add(path, table(photos, rows)) == (2, ["no label"])
    Decisions(path).undo()
    assert add(path, table(photos, rows, labels=False)) == (3, [])
    Decisions(path).undo()
    assert add(path, photos / "yellow") == (3, [])


def test_an_image_of_another_class_stays_there(path: Path, photos: Path) -> None:
    shutil.copy(photos / "red" / "0.png", photos / "yellow" / "stray.png")
    assert add(path, photos / "yellow") == (3, ["the class 'red' has it; 'inkling move' takes it elsewhere"])
    assert {one.name: one.images for one in Decisions(path).classes()} == dict.fromkeys((*COLOURS, "yellow"), 3)


def test_images_that_are_all_of_other_classes_make_none(path: Path, photos: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"known classes have 3 of these images, .*which is of 'red'"):
        add(path, photos / "red", "crimson")
    assert path.read_bytes() == before
