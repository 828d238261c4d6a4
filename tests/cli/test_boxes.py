"""Boxes through the program: fitted, predicted, embedded, and kept with picture, box and id."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from pyarrow import parquet

from inkling.finetune.exemplars import records_with_known
from inkling.memory.store import read_memory
from tests.cli.conftest import KINDS
from tests.cli.light_encoder import write_light_encoder
from tests.cli.program import Inkling

SIDE = 120


def annotated(drawn: Path, folder: Path, *, per_class: int) -> Path:
    """Sheets with drawn pictures side by side, one of each kind, and where they are, as COCO writes it."""
    folder.mkdir()
    files = {kind: sorted((drawn / kind).iterdir())[:per_class] for kind in KINDS}
    images, annotations = [], []
    for number in range(per_class):
        sheet = Image.new("RGB", (SIDE * len(KINDS), SIDE), "white")
        for at, kind in enumerate(KINDS):
            with Image.open(files[kind][number]) as picture:
                sheet.paste(picture.convert("RGB").resize((SIDE, SIDE)), (at * SIDE, 0))
            box = [at * SIDE, 0, SIDE, SIDE]
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": at, "bbox": box})
        sheet.save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": SIDE * len(KINDS), "height": SIDE})
    categories = [{"id": at, "name": kind} for at, kind in enumerate(KINDS)]
    path = folder / "boxes.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def megadetector(coco: Path, path: Path) -> Path:
    """The same boxes as a detector writes them, in shares; of each picture the first is uncertain."""
    document = json.loads(coco.read_text())
    wide = SIDE * len(KINDS)
    found = {one["file_name"]: [] for one in document["images"]}
    for number, one in enumerate(document["annotations"]):
        x, y, width, height = one["bbox"]
        box = [x / wide, y / SIDE, width / wide, height / SIDE]
        found[f"{one['image_id']}.png"].append(
            {"category": "1", "conf": 0.9 if number % len(KINDS) else 0.3, "bbox": box}
        )
    images = [{"file": file, "detections": boxes} for file, boxes in found.items()]
    path.write_text(json.dumps({"images": images, "detection_categories": {"1": "animal"}}))
    return path


@pytest.fixture
def train(drawn: Path, tmp_path: Path) -> Path:
    return annotated(drawn / "train", tmp_path / "train", per_class=6)


@pytest.fixture
def test(drawn: Path, tmp_path: Path) -> Path:
    return annotated(drawn / "test", tmp_path / "test", per_class=4)


@pytest.fixture
def boxed(inkling: Inkling, train: Path) -> Path:
    done = inkling.here("fit", train, "--memory", "boxed.ink", "--encoder", "sketch")
    assert done.code == 0, done.err
    return inkling.folder / "boxed.ink"


def test_fit_predict_and_evaluate(inkling: Inkling, boxed: Path, test: Path) -> None:
    told = inkling.here("predict", boxed, test, "--json", "-").json()
    assert told["n"] == 12
    truth = [one["category_id"] for one in json.loads(test.read_text())["annotations"]]
    right = [KINDS.index(one["label"]) == kind for one, kind in zip(told["predictions"], truth, strict=True)]
    assert sum(right) >= 11
    second = told["predictions"][1]
    assert second["path"] == f"{test.parent}/0.png#xywh=120,0,120,120&id=2"
    assert (second["image"], second["id"]) == (f"{test.parent}/0.png", "2")
    assert (second["box"], second["box_unit"]) == ([120, 0, 120, 120], "pixel")
    scores = inkling.here("evaluate", boxed, test, "--json", "-").json()
    assert scores["n"] == 12
    assert scores["top1"] == pytest.approx(sum(right) / 12)


def test_tables_of_predictions_hold_picture_box_and_id(inkling: Inkling, boxed: Path, test: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(inkling.here("predict", boxed, test, "--output", "-").out)))
    assert [rows[1][name] for name in ("box_x", "box_y", "box_width", "box_height")] == ["120.000000", "0.000000"] + [
        "120.000000"
    ] * 2
    assert (rows[1]["image"], rows[1]["id"], rows[1]["box_unit"]) == (f"{test.parent}/0.png", "2", "pixel")
    assert inkling.here("predict", boxed, test, "--output", "out.parquet").code == 0
    assert parquet.read_table(inkling.folder / "out.parquet")["box"].to_pylist()[1] == [120, 0, 120, 120]


def test_what_was_written_is_read_again(inkling: Inkling, boxed: Path, test: Path) -> None:
    first = inkling.here("predict", boxed, test, "--output", "out.csv", "--raw-csv", "--json", "first.json")
    again = inkling.here("predict", boxed, "out.csv", "--json", "-")
    assert first.code == again.code == 0
    assert again.json()["predictions"] == json.loads((inkling.folder / "first.json").read_text())["predictions"]
    path = again.json()["predictions"][2]["path"]
    (alone,) = inkling.here("predict", boxed, path, "--json", "-").json()["predictions"]
    assert alone["label"] == again.json()["predictions"][2]["label"]


def test_without_boxes_there_are_no_such_columns(inkling: Inkling, memory: Path, drawn: Path) -> None:
    header = inkling.here("predict", memory, drawn / "test", "--output", "-").out.partition("\n")[0]
    assert "box" not in header
    (first, *_) = inkling.here("predict", memory, drawn / "test", "--json", "-").json()["predictions"]
    assert "box" not in first


def test_embeddings_hold_the_boxes_too(inkling: Inkling, boxed: Path, test: Path) -> None:
    for output in ("out.npz", "out.parquet"):
        assert inkling.here("embed", test, "--encoder", "sketch", "--output", output).code == 0
        rows = list(csv.DictReader(io.StringIO(inkling.here("predict", boxed, output, "--output", "-").out)))
        assert rows[1]["id"] == "2"


def test_exemplars_are_found_again_by_their_boxes(boxed: Path) -> None:
    exemplars = read_memory(boxed).content.exemplars
    assert len(exemplars) == 18
    assert all("#xywh=" in one.path for one in exemplars)
    assert len(records_with_known([], exemplars)) == 18


def test_margin_root_and_confidence(inkling: Inkling, boxed: Path, test: Path) -> None:
    elsewhere = inkling.folder / "moved.json"
    test.rename(elsewhere)
    done = inkling.here("predict", boxed, elsewhere, "--root", test.parent, "--margin", "0.1", "--json", "-")
    assert done.json()["predictions"][0]["path"].endswith("&margin=0.1&id=1")
    detections = [{"category": "1", "conf": conf, "bbox": [0, 0, 0.33, 1]} for conf in (0.5, 0.9)]
    document = {"images": [{"file": "0.png", "detections": detections}], "detection_categories": {"1": "animal"}}
    elsewhere.write_text(json.dumps(document))
    done = inkling.here("predict", boxed, elsewhere, "--root", test.parent, "--confidence", "0.8", "--json", "-")
    assert done.json()["n"] == 1
    assert "Ignored: 1 boxes below the confidence" in done.err
    inkling.here("predict", boxed, elsewhere, "--root", "nowhere").refused("The root 'nowhere' is not a folder")
    inkling.here("predict", boxed, elsewhere, "--margin", "-1").refused("The margin must lie between")


def test_files_of_another_folder_are_asked_for_by_root(inkling: Inkling, train: Path) -> None:
    moved = inkling.folder / "elsewhere" / train.name
    moved.parent.mkdir()
    moved.write_bytes(train.read_bytes())
    inkling.here("fit", moved, "--memory", "m.ink", "--encoder", "sketch").refused("does not exist", "--root")


def test_a_box_without_a_label_is_skipped_by_fit(inkling: Inkling, train: Path) -> None:
    document = json.loads(train.read_text())
    document["annotations"][3]["category_id"] = 99
    train.write_text(json.dumps(document))
    done = inkling.here("fit", train, "--memory", "some.ink", "--encoder", "sketch", "--json", "-")
    (skipped,) = done.json()["skipped"]
    assert skipped["path"].endswith("1.png#xywh=0,0,120,120&id=4")
    assert "label" in skipped["reason"]
    assert done.json()["images"] == 17


def test_spoilt_boxes_are_skipped_with_their_reasons(inkling: Inkling, boxed: Path, test: Path) -> None:
    document = json.loads(test.read_text())
    document["annotations"][0]["bbox"] = [5, 5, 0, 5]
    document["annotations"][1]["bbox"] = [500, 5, 5, 5]
    test.write_text(json.dumps(document))
    done = inkling.here("predict", boxed, test, "--json", "-")
    assert done.code == 1
    assert "the box has no area" in done.err
    assert "outside of the picture of 360 x 120 pixels" in done.err
    assert [one["path"].rpartition("=")[2] for one in done.json()["skipped"]] == ["1", "2"]


def test_a_class_is_added_from_boxes(inkling: Inkling, memory: Path, test: Path) -> None:
    sheet = json.loads(test.read_text())
    sheet["annotations"] = [one for one in sheet["annotations"] if one["category_id"] == 0]
    sheet["categories"] = [{"id": 0, "name": "wagon"}]
    test.write_text(json.dumps(sheet))
    moved = test.rename(inkling.folder / "moved.json")
    arguments = ("--images", moved, "--root", test.parent, "--margin", "0.1")
    done = inkling.here("add-class", memory, "wagon", *arguments, "--json", "-")
    assert done.code == 0, done.err
    assert done.json()["outcome"]["images"] == 4
    added = [one for one in read_memory(memory).content.exemplars if "xywh" in one.path]
    assert added[0].path.rpartition("#")[2] == "xywh=0,0,120,120&margin=0.1&id=1"


def test_a_pool_of_boxes(inkling: Inkling, boxed: Path, test: Path, train: Path) -> None:
    pool = megadetector(test, inkling.folder / "pool.json")
    arguments = ("--pool", pool, "--root", test.parent, "--confidence", "0.5", "--output", "order.csv", "--json", "-")
    told = inkling.here("advise", boxed, *arguments).json()
    assert len(told["order"]) == 8
    (first, *_) = csv.DictReader((inkling.folder / "order.csv").open())
    assert first["image"] in {str(test.parent / f"{number}.png") for number in range(4)}
    assert first["box_unit"] == "share"
    repeated = inkling.here("advise", boxed, "--pool", train, "--json", "-")
    assert "was trained on all 18 images of the pool" in repeated.err


def test_discover_among_boxes(inkling: Inkling, train: Path, test: Path) -> None:
    fit = ("--memory", "some.ink", "--encoder", "sketch", "--false-alarms", "0.3")
    assert inkling.here("fit", train, *fit).code == 0
    pool = megadetector(test, inkling.folder / "pool.json")
    arguments = ("--root", test.parent, "--confidence", "0.5", "--margin", "0.05", "--min-images", "2", "--json", "-")
    done = inkling.here("discover", "some.ink", pool, *arguments)
    assert done.code == 0, done.err
    told = done.json()
    assert told["images"] == 8


def test_words_are_tried_on_boxes(inkling: Inkling, train: Path) -> None:
    moved = train.rename(inkling.folder / "moved.json")
    told = inkling.here("prompts", moved, "--root", train.parent, "--encoder", "sketch", "--json", "-").json()
    assert told["images"] == 18


def test_finetuning_on_boxes(inkling: Inkling, train: Path) -> None:
    moved = train.rename(inkling.folder / "moved.json")
    inkling.here("finetune", moved, "--memory", "a.ink", "--margin", "-1").refused("The margin must lie between")


def test_an_export_of_boxes_reads_crops(inkling: Inkling, train: Path, test: Path) -> None:
    """What the folder is given is a crop: it knows no boxes. Its examples are crops as Inkling cut them."""
    write_light_encoder(inkling.folder / "light")
    fit = ("--memory", "a.ink", "--encoder", "light", "--head", "gda", "--margin", "0.1")
    assert inkling.here("fit", train, *fit).code == 0
    done = inkling.here("export", "a.ink", "--output", "out", "--json", "-").json()
    assert (done["parity"]["pictures"], done["parity"]["labels_equal"]) == (18, 18)
    moved = test.rename(inkling.folder / "moved.json")
    check = ("--check", moved, "--root", test.parent, "--margin", "0.1")
    told = inkling.here("export", "a.ink", "--output", "checked", *check, "--json", "-").json()
    assert told["parity"]["pictures"] == 12
    assert inkling.here("export", "a.ink", "--verify", "checked", *check).code == 0
    (example, *_) = sorted((inkling.folder / "out" / "example").glob("*.png"))
    with Image.open(example) as crop:
        assert crop.size != (SIDE * len(KINDS), SIDE)
    program = [sys.executable, "run.py", str(example)]
    answer = subprocess.run(program, cwd=inkling.folder / "out", capture_output=True, text=True, check=True)
    expected = json.loads((inkling.folder / "out" / "example" / "expected.jsonl").read_text().partition("\n")[0])
    assert json.loads(answer.stdout)["label"] == expected["label"]
