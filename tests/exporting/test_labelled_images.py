"""Labelled images of a memory as data sets: odd names of files and classes, and labels that are numbers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from inkling import Decisions, FewShotClassifier, export_images
from inkling.errors import InputError
from inkling.images.sources import find_images
from inkling.labels import Kind
from inkling.review.new_class import ClassEmbedder
from tests.fakes import FakeEncoder

COLOURS = {"red": (220, 30, 20), "blue": (20, 40, 220)}


def paint(path: Path, colour: str, *, shade: int = 0, format: str = "PNG") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 24), tuple(min(255, one + shade) for one in COLOURS[colour])).save(path, format)
    return path


def painted(folder: Path, n: int = 4) -> tuple[list[Path], list[str]]:
    paths = [paint(folder / colour / f"{at}.png", colour, shade=7 * at) for colour in COLOURS for at in range(n)]
    return paths, [path.parent.name for path in paths]


def fitted(path: Path, images: object, labels: object = None) -> Path:
    FewShotClassifier(FakeEncoder(), cache=False).fit(images, labels).save(path)
    return path


def read_back(source: Path) -> dict[str, int]:
    found = find_images(source).records
    return {str(label): sum(one.label == label for one in found) for label in sorted({str(one.label) for one in found})}


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    paths, names = painted(tmp_path / "photos")
    memory = fitted(tmp_path / "a.ink", paths, [10 if name == "red" else 9 for name in names])
    done = export_images(memory, tmp_path / "out", layout="imagefolder")
    lines = [json.loads(line) for line in (done.folder / "metadata.jsonl").read_text().splitlines()]
    assert {line["label"] for line in lines} == {9, 10}
    found = find_images(done.source)
    assert (found.label_kind, read_back(done.source)) == (Kind.NUMBER, {"10": 4, "9": 4})


def test_odd_names_of_files(tmp_path: Path) -> None:
    """The same name in several folders, hidden, without ending, with one that tells nothing, and in a zip."""
    paths, labels = painted(tmp_path / "photos")
    more = [paint(tmp_path / "x" / name, "red", shade=at) for at, name in enumerate((".hidden.png", "scan", "a.data"))]
    with zipfile.ZipFile(tmp_path / "blue.zip", "w") as archive:
        archive.write(paint(tmp_path / "y.jpg", "blue", shade=20, format="JPEG"), "within/y.jpg")
    zipped = find_images(tmp_path / "blue.zip").records
    memory = fitted(tmp_path / "a.ink", [*paths, *more, *zipped], [*labels, *["red"] * 3, "blue"])
    for layout in ("folders", "csv", "imagefolder"):
        done = export_images(memory, tmp_path / layout, layout=layout)
        assert done.skipped == ()
        assert read_back(tmp_path / layout if layout != "csv" else done.source) == {"blue": 5, "red": 7}


@pytest.mark.parametrize("name", ["cats/dogs", "con", "trail."])
def test_classes_that_no_folder_can_be_called_as(tmp_path: Path, name: str) -> None:
    paths, labels = painted(tmp_path / "photos")
    memory = fitted(tmp_path / "a.ink", paths, [name if label == "red" else label for label in labels])
    with pytest.raises(InputError, match="Folders can't be called as these classes are"):
        export_images(memory, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for layout in ("csv", "imagefolder"):
        assert read_back(export_images(memory, tmp_path / layout, layout=layout).source) == {name: 4, "blue": 4}


def test_folders_that_would_be_read_as_splits(tmp_path: Path) -> None:
    paths, labels = painted(tmp_path / "photos")
    memory = fitted(tmp_path / "a.ink", paths, [{"red": "train", "blue": "test"}[label] for label in labels])
    with pytest.raises(InputError, match="such as 'train'"):
        export_images(memory, tmp_path / "out")
    assert read_back(export_images(memory, tmp_path / "c", layout="csv").source) == {"test": 4, "train": 4}


def test_classes_without_pictures_are_named(tmp_path: Path) -> None:
    paths, labels = painted(tmp_path / "photos")
    memory = fitted(tmp_path / "a.ink", paths, labels)
    embedder = ClassEmbedder(FakeEncoder(), cache=False)
    Decisions(memory).add_class("green", prompts=["a photo of a green."], embedder=embedder)
    assert export_images(memory, tmp_path / "out").without_images == ("green",)


def test_vectors_show_nothing(tmp_path: Path) -> None:
    FewShotClassifier("none").fit_embeddings([[1, 0], [0, 1], [1, 0.1], [0.1, 1]], list("abab")).save(
        tmp_path / "a.ink"
    )
    with pytest.raises(InputError, match="No picture of the memory can be written"):
        export_images(tmp_path / "a.ink", tmp_path / "out", thumbnails=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.ink"]


def test_an_unknown_layout(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'coco' is no layout"):
        export_images(tmp_path / "a.ink", tmp_path / "out", layout="coco")
