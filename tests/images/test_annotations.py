"""COCO's and MegaDetector's files as sources of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inkling.errors import InputError, UnreadableImageError
from inkling.images.boxes import BoxReading
from inkling.images.decode import load
from inkling.images.sources import Found, find_images
from inkling.types import Box
from tests.images.pictures import encoded, photo

COCO: dict[str, Any] = {
    "images": [
        {"id": 1, "file_name": "a.png", "width": 48, "height": 40},
        {"id": 2, "file_name": "sub/b.png", "width": 48, "height": 40},
        {"id": 3, "file_name": "empty.png", "width": 48, "height": 40},
    ],
    "annotations": [
        {"id": 11, "image_id": 1, "category_id": 7, "bbox": [1, 2, 10, 12], "iscrowd": 0},
        {"id": 12, "image_id": 2, "category_id": 8, "bbox": [0.5, 2, 20.25, 12]},
        {"id": 13, "image_id": 1, "category_id": 8, "bbox": [20, 2, 10, 12]},
    ],
    "categories": [{"id": 7, "name": "car"}, {"id": 8, "name": "bus"}],
}
MEGADETECTOR: dict[str, Any] = {
    "info": {"detector": "md_v5a"},
    "detection_categories": {"1": "animal", "2": "person"},
    "images": [
        {
            "file": "a.png",
            "detections": [
                {"category": "1", "conf": 0.9, "bbox": [0.1, 0.25, 0.5, 0.5]},
                {"category": "2", "conf": 0.05, "bbox": [0.1, 0.2, 0.5, 0.5]},
            ],
        },
        {"file": "broken.png", "failure": "Failure image access", "detections": None},
        {"file": "sub/b.png", "detections": []},
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png", "empty.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(photo(), "PNG"))
    return tmp_path


def read(folder: Path, document: object, **options: Any) -> Found:
    path = folder / "boxes.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return find_images(path, boxes=BoxReading(**options))


def changed(document: dict[str, Any], **parts: object) -> dict[str, Any]:
    return {**document, **parts}


def coco_with(*annotations: dict[str, Any]) -> dict[str, Any]:
    return changed(COCO, annotations=[*COCO["annotations"], *annotations])


class TestCoco:
    def test_boxes_are_images_those_of_one_picture_side_by_side(self, root: Path) -> None:
        found = read(root, COCO)
        assert [(record.path, record.label) for record in found.records] == [
            (f"{root}/a.png#xywh=1,2,10,12&id=11", "car"),
            (f"{root}/a.png#xywh=20,2,10,12&id=13", "bus"),
            (f"{root}/sub/b.png#xywh=0.5,2,20.25,12&id=12", "bus"),
        ]
        assert found.ignored == {"images without a box": 1}
        assert found.one_by_one
        assert load(found.records[0]).image.size == (10, 12)

    def test_margin(self, root: Path) -> None:
        (first, *_) = read(root, COCO, margin=0.5).records
        assert load(first).image.size == (16, 20)  # the left edge is cut at the border
        assert "&margin=0.5&" in first.path

    def test_root(self, root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        elsewhere = tmp_path_factory.mktemp("annotations")
        found = read(elsewhere, COCO, root=root)
        assert load(found.records[0]).image.size == (10, 12)

    def test_paths_of_windows(self, root: Path) -> None:
        images = [{"id": 2, "file_name": "sub\\b.png"}]
        found = read(root, changed(COCO, images=images, annotations=COCO["annotations"][1:2]))
        assert load(found.records[0]).image.size == (21, 12)

    def test_without_annotations_the_pictures_are_meant(self, root: Path) -> None:
        found = read(root, {"images": COCO["images"]})
        assert [record.box for record in found.records] == [None] * 3

    def test_annotations_without_a_box_are_of_the_whole_picture(self, root: Path) -> None:
        annotations = [
            {"id": "x", "image_id": 1, "category_id": 7},
            {"id": "y", "image_id": 2, "category_id": 7},
            {"id": "z", "image_id": 2, "category_id": 8},
        ]
        found = read(root, changed(COCO, annotations=annotations))
        assert [(record.path, record.label) for record in found.records] == [(f"{root}/a.png", "car")]
        assert found.ignored == {"images under several categories": 1, "images without a box": 1}

    @pytest.mark.parametrize(
        ("annotation", "kind"),
        [
            ({"id": 9, "image_id": 1, "category_id": 7, "bbox": [0, 0, 5, 5], "iscrowd": 1}, "crowd annotations"),
            ({"id": 9, "image_id": 99, "category_id": 7, "bbox": [0, 0, 5, 5]}, "annotations of an unknown image"),
            ({"id": 9, "category_id": 7, "bbox": [0, 0, 5, 5]}, "annotations of an unknown image"),
            ({"id": 9, "image_id": 1, "bbox": [0, 0, 5]}, "annotations whose box is not four numbers"),
            ({"id": 9, "image_id": 1, "bbox": [0, 0, 5, "5"]}, "annotations whose box is not four numbers"),
            ({"id": 9, "image_id": 1, "bbox": [0, 0, 5, 10**400]}, "annotations whose box is not four numbers"),
            ({"id": 11, "image_id": 2, "bbox": [0, 0, 5, 5]}, "annotations with an id that another one has"),
        ],
    )
    def test_what_is_no_box_is_left_out_and_counted(self, root: Path, annotation: dict[str, Any], kind: str) -> None:
        found = read(root, coco_with(annotation))
        assert len(found.records) == 3
        assert found.ignored == {"images without a box": 1, kind: 1}

    def test_an_unknown_category_is_no_label(self, root: Path) -> None:
        found = read(root, coco_with({"id": 9, "image_id": 3, "category_id": 99, "bbox": [0, 0, 5, 5]}))
        assert (found.records[-1].label, found.records[-1].box) == (
            None,
            Box(0, 0, 5, 5, id="9", picture_size=(48, 40)),
        )

    def test_sizes_that_contradict_the_picture(self, root: Path) -> None:
        images = [{"id": 1, "file_name": "a.png", "width": 480, "height": 400}]
        found = read(root, changed(COCO, images=images))
        with pytest.raises(UnreadableImageError, match="48 x 40 pixels, its annotations are of 480 x 400 pixels"):
            load(found.records[0])

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ([{"image_id": 1, "bbox": [1, 2, 3, 4]}], "is a list of 1 entries"),
            ("text", "an object was expected"),
            ({"annotations": []}, "names no images; its keys are: 'annotations'"),
            ({"images": {"a": 1}}, "'images' of .* is not a list of objects"),
            ({"images": [1, 2]}, "'images' of .* is not a list of objects"),
            ({"images": [{"path": "a.png"}]}, "neither 'file_name' nor 'file'"),
            (changed(COCO, images=[*COCO["images"], {"id": 1, "file_name": "x.png"}]), "Two images .* have the id '1'"),
            (changed(COCO, categories=[*COCO["categories"], {"id": 7, "name": "x"}]), "Two categories .* the id '7'"),
            (changed(COCO, annotations=[{"image_id": 9, "bbox": [1, 2, 3, 4]}]), "No images found"),
        ],
    )
    def test_other_documents_are_refused(self, root: Path, document: object, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read(root, document)

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\xff"])
    def test_what_is_no_json(self, root: Path, text: str) -> None:
        (root / "x.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=r"is not JSON|is not text"):
            find_images(root / "x.json")


class TestMegaDetector:
    def test_boxes_are_shares_and_categories_labels(self, root: Path) -> None:
        found = read(root, MEGADETECTOR)
        (record,) = found.records
        assert (record.path, record.label) == (f"{root}/a.png#xywh=percent:10,25,50,50", "animal")
        assert load(record).image.size == (25, 20)
        assert found.ignored == {
            "boxes below the confidence": 1,
            "images that the detector could not read": 1,
            "images without a box": 1,
        }

    def test_confidence(self, root: Path) -> None:
        assert [record.label for record in read(root, MEGADETECTOR, confidence=0.01).records] == ["animal", "person"]

    def test_detections_that_are_none(self, root: Path) -> None:
        images = [{"file": "a.png", "detections": [{"conf": 0.9}, {"bbox": [0, 0, 1, 1]}]}]
        with pytest.raises(InputError, match="2 annotations whose box is not four numbers"):
            read(root, changed(MEGADETECTOR, images=images))

    def test_categories_may_be_missing(self, root: Path) -> None:
        document = {key: value for key, value in MEGADETECTOR.items() if key != "detection_categories"}
        assert [record.label for record in read(root, document).records] == [None]
