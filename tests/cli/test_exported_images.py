"""inkling export of labelled images: written as data sets, and read back by inkling fit."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from inkling.memory.exemplars import labelled_images
from tests.cli.program import Inkling
from tests.cli.test_boxes import annotated

TABLES = {"folders": None, "csv": "labels.csv", "imagefolder": "metadata.jsonl"}


def known(memory: Path) -> Counter[tuple[str, str]]:
    """Class and content of each image."""
    return Counter((one.class_name, one.content_hash) for one in labelled_images(memory, thumbnails=False).exemplars)


def fitted_again(inkling: Inkling, source: str, *options: object) -> Path:
    done = inkling.here("fit", source, "--memory", "again.ink", "--encoder", "sketch", *options)
    assert done.code == 0, done.err
    return inkling.folder / "again.ink"


@pytest.mark.parametrize("layout", TABLES)
def test_the_same_images_come_back(inkling: Inkling, memory: Path, layout: str) -> None:
    done = inkling.here("export", memory, "--output", "out", "--format", layout, "--json", "out.json")
    assert done.code == 0, done.err
    told = json.loads((inkling.folder / "out.json").read_text())
    assert told["classes"] == {"car": 6, "house": 6, "tree": 6}
    assert (told["pictures"], told["skipped"], told["without_images"]) == (18, [], [])
    assert f"inkling fit {told['source']}" in done.err
    assert [one.name for one in (inkling.folder / "out").iterdir() if one.suffix in (".csv", ".jsonl")] == [
        name for name in [TABLES[layout]] if name
    ]
    assert known(fitted_again(inkling, told["source"])) == known(memory)


@pytest.mark.parametrize("layout", TABLES)
def test_small_pictures_need_no_files(inkling: Inkling, drawn: Path, layout: str) -> None:
    shutil.copytree(drawn / "train", inkling.folder / "photos")
    assert inkling.here("fit", "photos", "--memory", "a.ink", "--encoder", "sketch").code == 0
    shutil.rmtree(inkling.folder / "photos")
    told = inkling.here("export", "a.ink", "--output", "out", "--format", layout, "--thumbnails", "--json", "-").json()
    assert told["classes"] == {"car": 6, "house": 6, "tree": 6}
    again = labelled_images(fitted_again(inkling, told["source"]), thumbnails=False)
    assert Counter(one.class_name for one in again.exemplars) == told["classes"]


def test_files_that_are_gone_or_changed_are_named_and_left_out(inkling: Inkling, drawn: Path) -> None:
    shutil.copytree(drawn / "train", inkling.folder / "photos")
    assert inkling.here("fit", "photos", "--memory", "a.ink", "--encoder", "sketch").code == 0
    gone, changed, *_ = sorted((inkling.folder / "photos" / "car").iterdir())
    gone.unlink()
    shutil.copy(next((drawn / "test" / "car").iterdir()), changed)
    done = inkling.here("export", "a.ink", "--output", "out", "--format", "folders", "--json", "out.json")
    assert done.code == 1
    assert f"photos/car/{gone.name}: the file does not exist" in done.err
    assert "over HTTP never had a file here" in done.err
    assert "--thumbnails writes those" in done.err
    assert f"photos/car/{changed.name}: the file is another one than that which was learned from" in done.err
    told = json.loads((inkling.folder / "out.json").read_text())
    assert told["classes"] == {"car": 4, "house": 6, "tree": 6}
    shutil.rmtree(inkling.folder / "photos")
    inkling.here("export", "a.ink", "--output", "none", "--format", "csv").refused(
        "No picture of the memory can be written", "--thumbnails"
    )
    assert not (inkling.folder / "none").exists()


def test_what_is_there_is_not_touched(inkling: Inkling, memory: Path) -> None:
    (inkling.folder / "out").mkdir()
    (inkling.folder / "out" / "mine.txt").write_text("mine")
    for layout in TABLES:
        inkling.here("export", memory, "--output", "out", "--format", layout).refused("'out' is there already")
    assert [one.name for one in (inkling.folder / "out").iterdir()] == ["mine.txt"]


def test_boxes(inkling: Inkling, drawn: Path) -> None:
    source = annotated(drawn / "train", inkling.folder / "train", per_class=6)
    assert inkling.here("fit", source, "--memory", "a.ink", "--encoder", "sketch", "--margin", "0.1").code == 0
    done = inkling.here("export", "a.ink", "--output", "table", "--format", "csv", "--json", "out.json")
    assert done.code == 0, done.err
    assert "The boxes had a margin of 0.1" in done.err
    with (inkling.folder / "table" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "label", "x", "y", "width", "height", "id"]
    assert (len(rows), len({row["path"] for row in rows})) == (18, 6)
    again = fitted_again(inkling, "table/labels.csv", "--margin", "0.1")
    assert known(again) == known(inkling.folder / "a.ink")
    for layout in ("folders", "imagefolder"):
        told = inkling.here("export", "a.ink", "--output", layout, "--format", layout, "--json", "-").json()
        assert (told["pictures"], told["classes"]) == (18, {"car": 6, "house": 6, "tree": 6})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--format", "folders", "--check", "x"), "--check has no effect beside --format folders"),
        (("--format", "csv", "--precision", "int8"), "--precision has no effect beside --format csv"),
        (("--format", "csv", "--overwrite"), "--overwrite has no effect"),
        (("--thumbnails",), "--thumbnails has no effect"),
        (("--format", "coco"), "There is no format 'coco'"),
    ],
)
def test_what_cannot_be_meant(inkling: Inkling, options: tuple[str, ...], told: str) -> None:
    inkling.here("export", "a.ink", "--output", "out", *options).refused(told)


def test_without_a_memory(inkling: Inkling) -> None:
    inkling.here("export", "--output", "out", "--format", "folders").refused("no memory is named")
